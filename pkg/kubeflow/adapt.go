package kubeflow

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/images"
)

// What InstallOptions.Adapt and BuildOptions.Adapt can be. "" is adaptAuto.
const (
	adaptAuto = "auto" // as for AKS when the cluster is one
	adaptAKS  = "aks"
	adaptNone = "none"
)

// gpuCheck is the adaptation that is made only when asked for.
const gpuCheck = "notebooks/gpu-tolerations"

// adapt takes images from where the options say, and patches in memory what would not work on this cluster.
func (o *InstallOptions) adapt(ctx context.Context, view cluster.View, components []release.RenderedComponent) ([]release.RenderedComponent, []doctor.Adaptation, error) {
	components, made := o.takeImages(components)
	facts, chosen, err := o.facts(ctx, view)
	if err != nil || len(chosen) == 0 {
		return components, made, err
	}
	components, patched, err := doctor.Adapt(ctx, chosen, components, facts...)
	return components, append(made, patched...), err
}

// takeImages takes images from elsewhere. It returns new components and leaves those it was given alone.
func (o *InstallOptions) takeImages(components []release.RenderedComponent) ([]release.RenderedComponent, []doctor.Adaptation) {
	out := slices.Clone(components)
	for i := range out {
		out[i].Objects = slices.Clone(out[i].Objects)
	}
	var made []doctor.Adaptation
	for _, rule := range o.Images {
		a := doctor.Adaptation{Check: "--image", Reason: "asked for", Title: fmt.Sprintf("Take images from %s instead of %s", rule.To, rule.From)}
		for _, component := range out {
			for i, object := range component.Objects {
				if edited, changed := images.Rewrite(object, []images.Rule{rule}); changed {
					a.Changes = append(a.Changes, cluster.Change{Verb: cluster.Patch, Before: object, After: edited})
					component.Objects[i] = edited
				}
			}
		}
		if len(a.Changes) == 0 {
			o.Notify.warn("--image: no image here begins with %s", rule.From)
			continue
		}
		made = append(made, a)
	}
	return out, made
}

// facts returns what is known of the cluster that the manifests are adapted to, and the checks whose fixes are applied; no
// checks when nothing is to be adapted.
func (o *InstallOptions) facts(ctx context.Context, view cluster.View) (facts []*unstructured.Unstructured, chosen []*doctor.Check, err error) {
	switch o.Adapt {
	case adaptNone:
		return nil, nil, nil
	case adaptAKS:
		facts, chosen = []*unstructured.Unstructured{doctor.TypicalNode()}, checks.All()
	default:
		if facts, err = nodesAndClasses(ctx, view); err != nil {
			return nil, nil, err
		}
		if slices.ContainsFunc(facts, doctor.IsAKS) {
			chosen = checks.All()
		} else if o.preflightChecks == nil {
			o.Notify.say("Note: no node is of AKS, so manifests are not patched for AKS. To patch them anyway: --adapt=aks")
		}
	}
	if !o.GPUTolerations {
		return facts, slices.DeleteFunc(chosen, func(c *doctor.Check) bool { return c.ID == gpuCheck }), nil
	}
	if len(chosen) == 0 {
		if chosen, err = checks.Find(gpuCheck); err != nil {
			return nil, nil, err
		}
	}
	return append(facts, doctor.TypicalGPUNode()), chosen, nil
}

func nodesAndClasses(ctx context.Context, view cluster.View) ([]*unstructured.Unstructured, error) {
	nodes, err := view.List(ctx, kube.NodeKind, cluster.NodeScope)
	if err != nil {
		return nil, fmt.Errorf("looking whether the cluster is AKS: %w", err)
	}
	classes, err := view.List(ctx, kube.StorageClassKind, cluster.Scope{})
	if err != nil {
		return nil, fmt.Errorf("looking for the default storage class: %w", err)
	}
	return slices.Concat(nodes, classes), nil
}
