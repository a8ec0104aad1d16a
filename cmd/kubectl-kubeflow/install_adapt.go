package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/images"
)

// adaptFlags say how the manifests are changed before they are applied.
type adaptFlags struct {
	adapt          string
	images         []string // FROM=TO
	gpuTolerations bool

	rules []images.Rule
}

func (a *adaptFlags) add(f *pflag.FlagSet) {
	f.StringVar(&a.adapt, "adapt", "auto", "mend in the manifests what does not work on AKS; `MODE` is auto (when the cluster is AKS), aks or none")
	f.StringArrayVar(&a.images, "image", nil, "take images from elsewhere: `FROM=TO` says what takes the place of what their names begin with; may be repeated")
	f.BoolVar(&a.gpuTolerations, "gpu-tolerations", false, "let people choose GPU nodes with taints (on AKS sku=gpu:NoSchedule) when they start a notebook")
}

func (a *adaptFlags) validate() error {
	switch {
	case !slices.Contains([]string{"auto", "aks", "none"}, a.adapt):
		return &usageError{What: fmt.Sprintf("--adapt cannot be %q", a.adapt), Next: "It is one of: auto, aks, none"}
	case a.adapt == "none" && a.gpuTolerations:
		return &usageError{What: "--adapt=none leaves the manifests as they are, and --gpu-tolerations changes them", Next: "Leave one of them out"}
	}
	a.rules = nil
	for _, text := range a.images {
		r, err := images.Parse(text)
		if err != nil {
			return &usageError{What: "--image: " + err.Error(), Next: "FROM is what images begin with now, TO what takes its place; there is no https:// in an image"}
		}
		a.rules = append(a.rules, r)
	}
	return nil
}

// gpuCheck is the adaptation that is made only when asked for.
const gpuCheck = "notebooks/gpu-tolerations"

// adaptTo takes images from where the flags say, and mends in memory what would not work on this cluster.
func (o *installOptions) adaptTo(ctx context.Context, client *cluster.Client, w *wantedInstall) error {
	var objects []*unstructured.Unstructured
	for _, component := range w.request.Components {
		objects = append(objects, component.Objects...)
	}
	objects = o.takeImages(w, objects)
	facts, chosen, err := o.facts(ctx, client)
	if err != nil {
		return err
	}
	if len(chosen) > 0 {
		adapted, made, err := doctor.Adapt(ctx, chosen, objects, facts...)
		if err != nil {
			return err
		}
		objects, w.adapted = adapted, append(w.adapted, made...)
	}
	for i := range w.request.Components {
		n := len(w.request.Components[i].Objects)
		w.request.Components[i].Objects, objects = objects[:n], objects[n:]
	}
	return nil
}

// takeImages applies --image.
func (o *installOptions) takeImages(w *wantedInstall, objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	out := slices.Clone(objects)
	for _, rule := range o.rules {
		a := doctor.Adaptation{Check: "--image", Reason: "asked for"}
		for i, object := range out {
			if edited, changed := images.Rewrite(object, []images.Rule{rule}); changed {
				a.Changes = append(a.Changes, cluster.Change{Verb: cluster.Patch, Before: object, After: edited})
				out[i] = edited
			}
		}
		a.Title = fmt.Sprintf("Take images from %s instead of %s", rule.To, rule.From)
		if len(a.Changes) == 0 {
			o.screen().Say("Warning: --image: no image here begins with %s", rule.From)
			continue
		}
		w.adapted = append(w.adapted, a)
	}
	return out
}

// facts returns what is known of the cluster that the manifests are adapted to, and the checks whose fixes are applied; no
// checks when nothing is to be adapted.
func (o *installOptions) facts(ctx context.Context, client *cluster.Client) (facts []*unstructured.Unstructured, chosen []*doctor.Check, err error) {
	if o.adapt == "none" {
		return nil, nil, nil
	}
	if o.adapt == "aks" {
		facts, chosen = []*unstructured.Unstructured{doctor.TypicalNode()}, checks.All()
	} else if facts, err = nodesAndClasses(ctx, client.View()); err != nil {
		return nil, nil, err
	} else if slices.ContainsFunc(facts, doctor.IsAKS) {
		chosen = checks.All()
	}
	if !o.gpuTolerations {
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
	nodes, err := view.List(ctx, schema.GroupKind{Kind: "Node"}, cluster.Scope{})
	if err != nil {
		return nil, fmt.Errorf("looking whether the cluster is AKS: %w", err)
	}
	classes, err := view.List(ctx, schema.GroupKind{Group: "storage.k8s.io", Kind: "StorageClass"}, cluster.Scope{})
	if err != nil {
		return nil, fmt.Errorf("looking for the default storage class: %w", err)
	}
	return slices.Concat(nodes, classes), nil
}

// sayAdapted says what was mended in the manifests: one line for each check; all of it, and why, when differences are asked for.
func (o *installOptions) sayAdapted(wanted *wantedInstall) {
	var order []string
	byCheck := map[string][]doctor.Adaptation{}
	for _, adapted := range wanted.adapted {
		if byCheck[adapted.Check] == nil {
			order = append(order, adapted.Check)
		}
		byCheck[adapted.Check] = append(byCheck[adapted.Check], adapted)
	}
	for _, check := range order {
		made := byCheck[check]
		changes := 0
		for _, a := range made {
			changes += len(a.Changes)
		}
		o.screen().Say("Adapted (%s): %s", check, countOf(changes, "change"))
		if !o.diff {
			o.screen().Say("  %s%s", made[0].Title, map[bool]string{true: ", ..."}[len(made) > 1])
			continue
		}
		for _, a := range made {
			var refs []string
			for _, c := range a.Changes {
				refs = append(refs, c.Ref().String())
			}
			o.screen().Say("  %s: %s\n    in %s", a.Title, a.Reason, strings.Join(refs, ", "))
		}
	}
}
