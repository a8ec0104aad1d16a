package platform

import (
	"context"
	"fmt"
	"slices"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/admission"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var AdmissionPolicies = &doctor.Check{
	ID:    "platform/admission-policies",
	Title: "ValidatingAdmissionPolicies admit Kubeflow's objects and pods",
	Why: "AKS Automatic and Azure Policy enforce rules with ValidatingAdmissionPolicies: no hostPath volumes, no privileged containers, no more " +
		"capabilities than the Pod Security level baseline. The API server rejects what violates them, pods only when their workload creates them. " +
		"The check evaluates their expressions as the API server does.",
	FixNote:   "No automatic fix: whoever manages the policies decides. Exclude Kubeflow's namespaces from them, or skip the component.",
	Sources:   []string{"https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/", "https://learn.microsoft.com/azure/aks/deployment-safeguards"},
	Reads:     []schema.GroupKind{policyKind, policyBindingKind, kube.NamespaceKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		if e.Install == nil {
			return nil, doctor.Skip("nothing is being installed")
		}
		enforced, err := enforcedPolicies(ctx, e)
		if err != nil || len(enforced) == 0 {
			return nil, err
		}
		requests, err := comingRequests(ctx, e)
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, p := range enforced {
			if f, found := p.judge(ctx, requests); found {
				findings = append(findings, f)
			}
		}
		return findings, ctx.Err()
	},
}

var policyBindingKind = schema.GroupKind{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"}

// An enforcedPolicy is a policy with the bindings that make it deny.
type enforcedPolicy struct {
	object   *unstructured.Unstructured
	policy   *admission.Policy
	bindings []admissionv1.ValidatingAdmissionPolicyBindingSpec
}

// enforcedPolicies returns the policies that have a binding that denies.
func enforcedPolicies(ctx context.Context, e doctor.Exam) ([]enforcedPolicy, error) {
	bindings, err := workloads.ListIfKnown(ctx, e, policyBindingKind, cluster.Scope{})
	if err != nil || len(bindings) == 0 {
		return nil, err
	}
	denying := map[string][]admissionv1.ValidatingAdmissionPolicyBindingSpec{}
	for _, o := range bindings {
		var b admissionv1.ValidatingAdmissionPolicyBinding
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &b); err != nil {
			return nil, fmt.Errorf("reading %s: %w", cluster.RefOf(o), err)
		}
		if slices.Contains(b.Spec.ValidationActions, admissionv1.Deny) {
			denying[b.Spec.PolicyName] = append(denying[b.Spec.PolicyName], b.Spec)
		}
	}
	list, err := workloads.ListIfKnown(ctx, e, policyKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	var enforced []enforcedPolicy
	for _, o := range list {
		if denying[o.GetName()] == nil {
			continue
		}
		var p admissionv1.ValidatingAdmissionPolicy
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &p); err != nil {
			return nil, fmt.Errorf("reading %s: %w", cluster.RefOf(o), err)
		}
		enforced = append(enforced, enforcedPolicy{o, admission.Compile(o.GetName(), p.Spec), denying[o.GetName()]})
	}
	return enforced, nil
}

// A coming request creates an object of the install, or a pod of one of its workloads.
type comingRequest struct {
	admission.Request
	about cluster.Ref // the object, or the workload
}

// comingRequests returns what an install and the controllers of its workloads will create. What the API server can judge in a dry run, because
// its namespace exists, is left to it: see preflight/objects.
func comingRequests(ctx context.Context, e doctor.Exam) ([]comingRequest, error) {
	namespaces, err := e.List(ctx, kube.NamespaceKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	now, err := e.Install.Now.List(ctx, kube.NamespaceKind, cluster.Scope{})
	if err != nil && !meta.IsNoMatchError(err) {
		return nil, err
	}
	exists, will := map[string]bool{"": true}, map[string]*corev1.Namespace{}
	for _, ns := range now {
		exists[ns.GetName()] = true
	}
	for _, ns := range namespaces {
		will[ns.GetName()] = &corev1.Namespace{}
		will[ns.GetName()].Name, will[ns.GetName()].Labels, will[ns.GetName()].Annotations = ns.GetName(), ns.GetLabels(), ns.GetAnnotations()
	}
	var requests []comingRequest
	for _, o := range e.Install.Objects {
		ref := cluster.RefOf(o)
		resource, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
		if !exists[o.GetNamespace()] {
			requests = append(requests, comingRequest{admission.Request{Object: o, Resource: resource, Namespace: will[o.GetNamespace()]}, ref})
		}
		if pod := podOf(o); pod != nil {
			requests = append(requests, comingRequest{admission.Request{Object: pod, Resource: corev1.SchemeGroupVersion.WithResource("pods"), Namespace: will[o.GetNamespace()],
				User: "system:serviceaccount:kube-system:" + controllers[o.GetKind()], Groups: []string{"system:serviceaccounts", "system:serviceaccounts:kube-system"}}, ref})
		}
	}
	return requests, nil
}

// controllers create the pods of workloads.
var controllers = map[string]string{"Deployment": "replicaset-controller", "StatefulSet": "statefulset-controller", "DaemonSet": "daemon-set-controller", "Job": "job-controller"}

// podOf returns the pod that a workload's controller creates, with the defaults that the API server sets; nil if it is no workload.
func podOf(o *unstructured.Unstructured) *unstructured.Unstructured {
	template, found, _ := unstructured.NestedMap(o.Object, "spec", "template")
	if !workloads.IsWorkload(o.GroupVersionKind().GroupKind()) || !found {
		return nil
	}
	pod := &unstructured.Unstructured{Object: template}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetNamespace(o.GetNamespace())
	pod.SetGenerateName(o.GetName() + "-")
	spec, _ := pod.Object["spec"].(map[string]any)
	setDefaults(spec, podDefaults)
	for _, list := range []string{"containers", "initContainers"} {
		for _, c := range kube.Items(pod.Object, "spec", list) {
			setDefaults(c, containerDefaults)
		}
	}
	return pod
}

var (
	podDefaults = map[string]any{"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": int64(30),
		"serviceAccountName": "default", "securityContext": map[string]any{}}
	containerDefaults = map[string]any{"imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "resources": map[string]any{}}
)

func setDefaults(o, defaults map[string]any) {
	for key, value := range defaults {
		if _, set := o[key]; !set && o != nil {
			o[key] = runtime.DeepCopyJSONValue(value)
		}
	}
}

// longestJudgment bounds the evaluation of one policy: whoever writes it decides how much its expressions cost.
const longestJudgment = 5 * time.Second

// judge returns the finding about a policy: what it denies, or that it applies and cannot be judged.
func (p enforcedPolicy) judge(ctx context.Context, requests []comingRequest) (doctor.Finding, bool) {
	ctx, cancel := context.WithTimeout(ctx, longestJudgment)
	defer cancel()
	var denied, unknown []cluster.Ref
	why, message := p.policy.Unknown, ""
	for _, r := range requests {
		if !slices.ContainsFunc(p.bindings, func(b admissionv1.ValidatingAdmissionPolicyBindingSpec) bool { return p.policy.Matches(b, r.Request) }) {
			continue
		}
		if p.policy.Unknown != "" {
			unknown = append(unknown, r.about)
			continue
		}
		denies, text, err := p.policy.Denies(ctx, r.Request)
		switch {
		case ctx.Err() != nil:
			unknown, why = append(unknown, r.about), "its expressions take too long"
		case err != nil:
			unknown, why = append(unknown, r.about), err.Error()
		case denies && p.policy.ByUser && r.User == "":
			unknown, why = append(unknown, r.about), "it depends on who makes the request"
		case denies:
			denied, message = append(denied, r.about), text
		}
	}
	denied, unknown = slices.Compact(denied), slices.Compact(unknown)
	f := doctor.Finding{About: doctor.Subject{Ref: cluster.RefOf(p.object)}, Advice: "Exclude Kubeflow's namespaces from the policy, or leave out these components with --skip."}
	switch {
	case len(denied) > 0:
		f.Severity = doctor.Error
		f.Message = fmt.Sprintf("ValidatingAdmissionPolicy %s denies %s of the install, or its pods: %s", p.object.GetName(), text.Plural(len(denied), "object"), text.Names(denied, text.Most, cluster.Ref.String))
		f.Cause = "Its message: " + message
		f.Consequence = "They are rejected; a workload exists, but its pods are never created."
	case len(unknown) > 0:
		f.Severity = doctor.Warning
		f.Message = fmt.Sprintf("ValidatingAdmissionPolicy %s applies to %s of the install, or its pods, and may deny them: %s", p.object.GetName(), text.Plural(len(unknown), "object"), text.Names(unknown, text.Most, cluster.Ref.String))
		f.Cause = "It cannot be judged before the install: " + why
		f.Advice = "Ask whoever manages the policy whether it admits them."
	default:
		return f, false
	}
	return f, true
}
