package preflight

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var Quotas = &doctor.Check{
	ID:    "preflight/quotas",
	Title: "ResourceQuotas admit Kubeflow's pods",
	Why: "A namespace that exists before the install may have a ResourceQuota. Pods beyond it are rejected when their workload creates them, " +
		"and a quota on CPU or memory rejects every container that does not request them, as most of Kubeflow's do not.",
	FixNote:   "No automatic fix: the namespace's owner decides. Raise the quota, delete it, or give the namespace a LimitRange with defaults.",
	Sources:   []string{"https://kubernetes.io/docs/concepts/policy/resource-quotas/"},
	Reads:     []schema.GroupKind{kube.ResourceQuotaKind, limitRangeKind},
	Preflight: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		if e.Install == nil {
			return nil, notInstalling()
		}
		quotas, err := e.List(ctx, kube.ResourceQuotaKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, o := range quotas {
			f, err := quotaFindings(ctx, e, o)
			if err != nil {
				return nil, err
			}
			findings = append(findings, f...)
		}
		return findings, nil
	},
}

var limitRangeKind = schema.GroupKind{Kind: "LimitRange"}

// quotaFindings compares what a quota leaves with what the install adds to its namespace.
func quotaFindings(ctx context.Context, e doctor.Exam, o *unstructured.Unstructured) ([]doctor.Finding, error) {
	var quota corev1.ResourceQuota
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &quota); err != nil {
		return nil, err
	}
	if len(quota.Spec.Scopes) > 0 || quota.Spec.ScopeSelector != nil {
		return nil, nil // it counts some pods only, which its priority or quality of service decides
	}
	coming, err := comingTo(ctx, e, o.GetNamespace(), quota.Spec.Hard)
	if err != nil || coming.objects == 0 {
		return nil, err
	}
	about := doctor.Subject{Ref: cluster.RefOf(o), Field: "spec.hard"}
	command := fmt.Sprintf("kubectl edit resourcequota -n %s %s", escape.Word(o.GetNamespace()), escape.Word(o.GetName()))
	var findings []doctor.Finding
	if len(coming.without) > 0 {
		findings = append(findings, doctor.Finding{
			Severity: doctor.Error, About: about, Command: command,
			Message: fmt.Sprintf("ResourceQuota %s/%s rejects the pods of %s, which do not set %s", o.GetNamespace(), o.GetName(),
				text.Names(coming.without, text.Most, cluster.Ref.String), text.And(slices.Sorted(maps.Keys(coming.unset))...)),
			Consequence: "Their pods are never created.",
			Advice:      "Give the namespace a LimitRange with defaults, or remove these resources from the quota.",
		})
	}
	if short := coming.beyond(quota); len(short) > 0 {
		findings = append(findings, doctor.Finding{
			Severity: doctor.Error, About: about, Command: command,
			Message:     fmt.Sprintf("ResourceQuota %s/%s leaves too little for Kubeflow: %s", o.GetNamespace(), o.GetName(), strings.Join(short, ", ")),
			Consequence: "What exceeds the quota is never created.",
			Advice:      "Raise the quota.",
		})
	}
	return findings, nil
}

// A demand is what an install adds to a namespace, of the resources that a quota counts.
type demand struct {
	objects int
	total   map[corev1.ResourceName]*resource.Quantity
	without []cluster.Ref   // workloads whose containers do not set what the quota counts
	unset   map[string]bool // what they do not set
}

// comingTo adds up what the workloads and claims of the install that are not on the cluster yet need in a namespace.
func comingTo(ctx context.Context, e doctor.Exam, namespace string, counted corev1.ResourceList) (demand, error) {
	d := demand{total: map[corev1.ResourceName]*resource.Quantity{}, unset: map[string]bool{}}
	limits, err := e.List(ctx, limitRangeKind, cluster.Scope{Namespace: namespace})
	if err != nil {
		return d, err
	}
	for _, o := range e.Install.Objects {
		ref := cluster.RefOf(o)
		if o.GetNamespace() != namespace || e.Install.Ours[ref.Identity()] {
			continue
		}
		switch kind := ref.GroupKind(); {
		case workloads.IsWorkload(kind) && kind != kube.DaemonSetKind:
			spec, err := workloads.PodSpec(o, "spec", "template", "spec")
			if err != nil {
				return d, err
			}
			d.addPods(ref, spec, replicas(o), counted, len(limits) > 0)
		case kind == kube.PersistentVolumeClaimKind:
			size, err := resource.ParseQuantity(kube.Text(o.Object, "spec", "resources", "requests", "storage"))
			if err == nil {
				d.add(corev1.ResourceRequestsStorage, size, 1)
			}
			d.add(corev1.ResourcePersistentVolumeClaims, resource.MustParse("1"), 1)
		default:
			d.add(corev1.ResourceName("count/"+strings.ToLower(ref.Kind)+"s"+suffix(kind)), resource.MustParse("1"), 1)
			d.add(corev1.ResourceName(strings.ToLower(ref.Kind)+"s"), resource.MustParse("1"), 1)
			continue
		}
		d.objects++
	}
	return d, nil
}

func suffix(kind schema.GroupKind) string {
	if kind.Group == "" {
		return ""
	}
	return "." + kind.Group
}

func replicas(o *unstructured.Unstructured) int64 {
	if n, found, _ := unstructured.NestedInt64(o.Object, "spec", "replicas"); found {
		return n
	}
	return 1
}

// addPods adds the pods of a workload. Without defaults of a LimitRange, a container that does not set what the quota counts is rejected.
func (d *demand) addPods(owner cluster.Ref, spec corev1.PodSpec, n int64, counted corev1.ResourceList, defaults bool) {
	pod := &corev1.Pod{Spec: spec}
	requests := resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})
	limits := resourcehelper.PodLimits(pod, resourcehelper.PodResourcesOptions{})
	d.add(corev1.ResourcePods, resource.MustParse("1"), n)
	d.add("count/pods", resource.MustParse("1"), n)
	incomplete := false
	for name := range counted {
		of, limit := base(name)
		if of == "" {
			continue
		}
		from := requests
		if limit {
			from = limits
		}
		d.add(name, from[of], n)
		if !defaults && n > 0 && unsetIn(spec, of, limit) {
			incomplete, d.unset[string(name)] = true, true
		}
	}
	if incomplete {
		d.without = append(d.without, owner)
	}
}

// base returns the resource of containers that a quota counts, and whether it counts limits.
func base(counted corev1.ResourceName) (of corev1.ResourceName, limit bool) {
	switch counted {
	case corev1.ResourceCPU, corev1.ResourceRequestsCPU:
		return corev1.ResourceCPU, false
	case corev1.ResourceMemory, corev1.ResourceRequestsMemory:
		return corev1.ResourceMemory, false
	case corev1.ResourceLimitsCPU:
		return corev1.ResourceCPU, true
	case corev1.ResourceLimitsMemory:
		return corev1.ResourceMemory, true
	}
	return "", false
}

// unsetIn reports whether a container sets neither a request nor, which stands for it, a limit.
func unsetIn(spec corev1.PodSpec, of corev1.ResourceName, limit bool) bool {
	return slices.ContainsFunc(slices.Concat(spec.InitContainers, spec.Containers), func(c corev1.Container) bool {
		_, limited := c.Resources.Limits[of]
		_, requested := c.Resources.Requests[of]
		return !limited && (limit || !requested)
	})
}

func (d *demand) add(name corev1.ResourceName, quantity resource.Quantity, n int64) {
	if d.total[name] == nil {
		d.total[name] = &resource.Quantity{}
	}
	all := quantity.DeepCopy()
	all.Mul(n)
	d.total[name].Add(all)
}

// beyond returns the resources of which a quota leaves less than is needed: "pods: 12 needed, 10 of 20 left".
func (d *demand) beyond(quota corev1.ResourceQuota) []string {
	var short []string
	for name, hard := range quota.Spec.Hard {
		need := d.total[name]
		if need == nil {
			continue
		}
		left := hard.DeepCopy()
		left.Sub(quota.Status.Used[name])
		if need.Cmp(left) > 0 {
			short = append(short, fmt.Sprintf("%s: %s needed, %s of %s left", name, need, left.String(), hard.String()))
		}
	}
	slices.Sort(short)
	return short
}
