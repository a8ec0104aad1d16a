package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/naming"
)

// build builds parts concurrently, as many as there are processors, and returns the objects in order.
func (r *rendering) build(ctx context.Context, parts []part) ([]RenderedComponent, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	out := make([]RenderedComponent, len(parts))
	for _, p := range parts {
		if err := r.broken(p, p.fault); err != nil {
			return nil, err
		}
	}
	for i, p := range slices.Backward(parts) { // the last ones are the largest, and should not be started last
		out[i] = RenderedComponent{Name: p.name, Objects: p.objects}
		if len(p.folders) == 0 || p.fault != nil {
			continue
		}
		group.Go(func() (err error) {
			out[i].Objects, err = r.buildPart(ctx, p)
			if err != nil && p.instead != nil && ctx.Err() == nil {
				r.warnInstead(p, err)
				out[i].Objects, err = r.buildPart(ctx, *p.instead)
			}
			return r.broken(p, p.users(err))
		})
	}
	return out, group.Wait()
}

// broken returns a part's error, or reports it to RenderOptions.Broken if that is set.
func (r *rendering) broken(p part, err error) error {
	if err == nil || r.options.Broken == nil || errors.Is(err, context.Canceled) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.options.Broken(p.name, plain(err, r.options))
	return nil
}

func (r *rendering) buildPart(ctx context.Context, p part) ([]*unstructured.Unstructured, error) {
	tree := cmp.Or(p.tree, r.tree)
	var objects []*unstructured.Unstructured
	for _, folder := range p.folders {
		built, err := tree.Build(ctx, folder)
		if err != nil {
			return nil, fmt.Errorf("component %s: %w", p.name, err)
		}
		objects = append(objects, built...)
	}
	objects, err := r.without(ctx, objects, p.beside)
	if err != nil {
		return nil, fmt.Errorf("component %s: %w", p.name, err)
	}
	r.built(p.name, len(objects))
	return objects, nil
}

// without removes the objects that other folders build.
func (r *rendering) without(ctx context.Context, objects []*unstructured.Unstructured, folders []string) ([]*unstructured.Unstructured, error) {
	theirs := map[string]bool{}
	for _, folder := range folders {
		built, err := r.tree.Build(ctx, folder)
		if err != nil {
			return nil, err
		}
		for _, object := range built {
			theirs[identity(object)] = true
		}
	}
	return slices.DeleteFunc(objects, func(object *unstructured.Unstructured) bool { return theirs[identity(object)] }), nil
}

// checkNames rejects objects that no API server accepts, or that refer to what cannot exist, and names the component and the file they
// come from. kfctl applied such references, for example in the release's own file for Azure, so those of a KfDef are a warning.
func (r *rendering) checkNames(ctx context.Context, parts []part) error {
	components := r.out.Components
	r.resolveKfctl()
	for i := range components {
		for _, object := range components[i].Objects {
			fault := naming.Check(object)
			if fault == nil {
				continue
			}
			if r.kfdef && fault.Reference {
				r.warn(fmt.Sprintf("kfctl left a variable in component %s: %s", components[i].Name, fault))
				continue
			}
			at := slices.IndexFunc(parts, func(p part) bool { return p.name == components[i].Name })
			err := r.broken(part{name: components[i].Name}, &problem.Error{
				Usage: true,
				What:  fmt.Sprintf("component %s cannot be applied: %s%s", components[i].Name, fault, r.from(ctx, parts, at, object)),
				Next:  "Correct it there, or skip the component",
			})
			if err != nil {
				return err
			}
			components[i].Objects = nil
			break
		}
	}
	return nil
}

// resolveKfctl resolves the variables that kfctl knew by name and that a KfDef's stack does not define: the release's own file for Azure
// leaves the hosts of ten routes to the dashboard's pages unresolved, and these pages then do not answer.
func (r *rendering) resolveKfctl() {
	if !r.kfdef {
		return
	}
	values := map[string]string{"namespace": r.out.Namespace, "clusterDomain": "cluster.local"}
	var changed []string
	for _, component := range r.out.Components {
		for _, object := range component.Objects {
			if naming.Resolve(object, values) {
				changed = append(changed, object.GetKind()+"/"+object.GetName())
			}
		}
	}
	if len(changed) > 0 {
		r.out.Notes = append(r.out.Notes, fmt.Sprintf("the KfDef leaves $(namespace) and $(clusterDomain) unresolved in %s; they are set to %s and cluster.local",
			text.Names(changed, 3, func(name string) string { return name }), r.out.Namespace))
	}
}

// from returns " (in FILE)" for an object of a part that is built from kustomizations.
func (r *rendering) from(ctx context.Context, parts []part, at int, object *unstructured.Unstructured) string {
	if at < 0 {
		return ""
	}
	for _, folder := range parts[at].folders {
		if file := cmp.Or(parts[at].tree, r.tree).Origin(ctx, folder, object); file != "" {
			return " (in " + file + ")"
		}
	}
	return ""
}

// identity identifies an object: its kind, namespace and name.
func identity(o *unstructured.Unstructured) string {
	return o.GroupVersionKind().String() + "/" + o.GetNamespace() + "/" + o.GetName()
}

// recognise finds the release by the image of ml-pipeline, for manifests from other sources.
func recognise(components []RenderedComponent) *Release {
	for _, component := range components {
		for _, object := range component.Objects {
			if object.GetKind() == "Deployment" && object.GetName() == "ml-pipeline" {
				if r := Recognise(object); r != nil {
					return r
				}
			}
		}
	}
	return nil
}

// StartsAtZero reports whether the releases install a workload without replicas: its controller scales it when it is needed.
func StartsAtZero(namespace, name string) bool {
	return namespace == "knative-eventing" && name == "pingsource-mt-adapter"
}

// Recognise returns the release of an ml-pipeline Deployment, by the tag of its image; nil if it is not a known release.
func Recognise(server *unstructured.Unstructured) *Release {
	for _, container := range kube.Items(server.Object, "spec", "template", "spec", "containers") {
		if r, ok := Fingerprint(kube.ParseImage(kube.Text(container, "image")).Tag); ok {
			return &r
		}
	}
	return nil
}
