package workloads

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// rejectionOf returns the server's message with which it rejects a workload's pods, "" when it does not.
func rejectionOf(ctx context.Context, e doctor.Exam, o *unstructured.Unstructured) (string, error) {
	if c := kube.Condition(o, "ReplicaFailure"); c != nil && c.Status == "True" {
		return c.Message, nil
	}
	events, err := e.List(ctx, kube.EventKind, cluster.Scope{Fields: "reason=FailedCreate,type=Warning"})
	if err != nil {
		if e.Without(err) {
			err = nil
		}
		return "", err
	}
	if o.GetKind() == "Deployment" || kube.Number(o.Object, "status", "readyReplicas") > 0 {
		return "", nil
	}
	if event := lastAbout(events, o); event != nil && kube.RejectsForGood(kube.Text(event, "message")) {
		return kube.Text(event, "message"), nil
	}
	return "", nil
}

// rejections map the server's words to what to do.
var rejections = []struct{ sign, advice string }{
	{"must specify", "A ResourceQuota requires requests or limits that the pods do not set: add a LimitRange with defaults to the namespace, or change the quota."},
	{"exceeded quota", "Raise the ResourceQuota of the namespace, or remove what uses it up."},
	{"violates PodSecurity", "Lower the Pod Security level of the namespace, or reduce what the pods require."},
	{"failed calling webhook", "Get the pods of the webhook's Service running."},
	{"denied", "An admission webhook or policy denies the pods: change what it objects to, or exclude the namespace from the policy."},
	{"is invalid", "Correct the field that the message names in the pod template, or apply the component again."},
	{"serviceaccount", "Create the ServiceAccount, or apply the component again."},
}

func adviceOnRejection(message string) string {
	for _, r := range rejections {
		if strings.Contains(message, r.sign) {
			return r.advice
		}
	}
	return "Correct what the message names."
}

// addServices lists the Services that have no endpoints without a workload.
func addServices(ctx context.Context, e doctor.Exam, o *unstructured.Unstructured, f *doctor.Finding) error {
	services, err := e.List(ctx, kube.ServiceKind, cluster.Scope{Namespace: o.GetNamespace()})
	if err != nil {
		if e.Without(err) {
			err = nil
		}
		return err
	}
	own, _, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "labels")
	for _, s := range services {
		chosen, _, _ := unstructured.NestedStringMap(s.Object, "spec", "selector")
		if len(chosen) > 0 && labels.SelectorFromSet(chosen).Matches(labels.Set(own)) && f.Severity != doctor.Info {
			f.Affects = append(f.Affects, cluster.RefOf(s))
		}
	}
	return nil
}

// calledService is the Service in the address of a webhook that a rejection names.
var calledService = regexp.MustCompile(`https://([a-z0-9-]+)\.([a-z0-9-]+)\.svc`)

// joinRejected puts workloads whose pods a webhook without endpoints rejects beneath the workload that serves the webhook.
func joinRejected(findings []doctor.Finding) []doctor.Finding {
	joined := map[int]bool{}
	for i, f := range findings {
		root := slices.IndexFunc(findings, func(root doctor.Finding) bool {
			return root.About.Ref != f.About.Ref && slices.ContainsFunc(f.Needs, func(ref cluster.Ref) bool { return slices.Contains(root.Affects, ref) })
		})
		if root >= 0 && !joined[root] {
			joined[i] = true
			findings[root].Affects = append(findings[root].Affects, f.About.Ref)
		}
	}
	var own []doctor.Finding
	for i, f := range findings {
		if !joined[i] {
			own = append(own, f)
		}
	}
	return own
}
