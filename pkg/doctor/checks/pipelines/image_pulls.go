package pipelines

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/images"
)

var ImagePulls = &doctor.Check{
	ID:    "pipelines/image-pulls",
	Title: "All images can be pulled",
	Why: "A pod whose image cannot be pulled does not start. Only the pod's status shows why: the image no longer exists, the registry " +
		"rate-limits pulls or requires authentication, the image does not support the node's architecture, or the registry is unreachable " +
		"from the cluster's network.",
	FixNote: "No automatic fix: the remedy depends on which of these it is; the finding says.",
	Sources: []string{"kubeflow/notebooks#265"},
	Reads:   []schema.GroupKind{kube.PodKind, kube.NamespaceKind, kube.DeploymentKind},
	Hint:    "An Azure Firewall or a proxy may block access to registries.",
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		pods, err := workloads.KubeflowPods(ctx, e)
		if err != nil {
			return nil, err
		}
		gone, err := unavailableImages(ctx, e)
		if err != nil {
			return nil, err
		}
		return pullFindings(slices.DeleteFunc(slices.Clone(pods), func(p *unstructured.Unstructured) bool {
			image, _, _ := failedPull(p)
			known := images.Find(&unstructured.Unstructured{Object: map[string]any{"image": image}}, gone) // reported by pipelines/images
			return len(known) > 0
		})), nil
	},
}

// pullReasons map a kubelet's message to a cause and advice, the most specific first.
var pullReasons = []struct {
	signs       []string
	why, advice string
}{
	{[]string{"toomanyrequests", "429 Too Many"}, "the registry rate-limits anonymous pulls",
		"Add an image pull secret for that registry to the service accounts, or copy the images to your own registry."},
	{[]string{"no matching manifest", "no match for platform"}, "the image does not support the node's architecture",
		"Keep such pods off the node with a taint on its pool: az aks nodepool update --node-taints kubernetes.io/arch=arm64:NoSchedule."},
	{[]string{"unauthorized", "authentication required", "403 Forbidden"}, "the registry requires authentication",
		"Attach the registry to the cluster (az aks update --attach-acr NAME), or add an image pull secret to the service account."},
	{[]string{"i/o timeout", "no such host", "connection refused", "deadline exceeded", "TLS handshake"}, "the registry is unreachable from the cluster",
		"Allow egress to the registry, or copy the images to a registry that the cluster can reach."},
	{[]string{"not found", "manifest unknown", "denied", "does not exist"}, "the image does not exist, or is not public",
		"Compare its name and tag with the registry's, or use a copy: kubectl kubeflow install --image FROM=TO."},
}

// pullFindings returns one finding per reason, about the first pod.
func pullFindings(pods []*unstructured.Unstructured) []doctor.Finding {
	waiting := map[int][]*unstructured.Unstructured{}
	missing := map[int][]string{}
	for _, pod := range pods {
		if image, message, found := failedPull(pod); found {
			i := slices.IndexFunc(pullReasons, func(r struct {
				signs       []string
				why, advice string
			}) bool {
				return slices.ContainsFunc(r.signs, func(sign string) bool { return strings.Contains(message, sign) })
			})
			waiting[i] = append(waiting[i], pod)
			missing[i] = append(missing[i], image)
		}
	}
	var findings []doctor.Finding
	for i := -1; i < len(pullReasons); i++ {
		if len(waiting[i]) == 0 {
			continue
		}
		slices.Sort(missing[i])
		wanted := slices.Compact(missing[i])
		f := doctor.Finding{
			Severity:    doctor.Error,
			About:       doctor.Subject{Ref: cluster.RefOf(waiting[i][0]), Field: "status.containerStatuses"},
			Message:     fmt.Sprintf("%s cannot be pulled: %s", text.Plural(len(wanted), "image"), text.Names(wanted, text.Most, func(s string) string { return s })),
			Consequence: fmt.Sprintf("%s cannot start: %s.", text.Plural(len(waiting[i]), "pod"), text.Names(waiting[i], text.Most, (*unstructured.Unstructured).GetName)),
			Advice:      "The pod's events show the registry's response.",
			Command:     "kubectl describe pod -n " + escape.Word(waiting[i][0].GetNamespace()) + " " + escape.Word(waiting[i][0].GetName()),
		}
		if i >= 0 {
			f.Cause, f.Advice = strings.ToUpper(pullReasons[i].why[:1])+pullReasons[i].why[1:]+".", pullReasons[i].advice
		}
		findings = append(findings, f)
	}
	return findings
}

// failedPull returns a pod's image that could not be pulled, and the kubelet's message.
func failedPull(pod *unstructured.Unstructured) (image, message string, found bool) {
	for _, c := range kube.Containers(pod) {
		if c.ImagePullFailed() {
			return c.Image, c.Message, true
		}
	}
	return "", "", false
}
