package dashboard

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A mesh is what Istio's configuration says about authentication.
type mesh struct {
	root      string           // the namespace whose objects apply to the whole mesh
	providers []map[string]any // the extensionProviders of every revision
}

// readMesh reads the configuration of every revision of Istio: ConfigMap istio, and those such as istio-asm-1-24 and
// istio-shared-configmap-asm-1-24 of AKS's add-on.
func readMesh(ctx context.Context, view cluster.View, gateway string) (mesh, error) {
	m := mesh{root: RootNamespace(gateway)}
	maps, err := view.List(ctx, kube.ConfigMapKind, cluster.Scope{Namespace: m.root, Metadata: true})
	if err != nil && !apierrors.IsForbidden(err) {
		return m, err
	}
	names := []string{"istio"} // who may not list ConfigMaps may be allowed to read this one
	for _, o := range maps {
		if name := o.GetName(); strings.HasPrefix(name, "istio-") && !strings.HasPrefix(name, "istio-sidecar-injector") && name != "istio-ca-root-cert" {
			names = append(names, name)
		}
	}
	for _, name := range names {
		o, err := cluster.IgnoreNotFound(view.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: m.root, Name: name}))
		if err != nil {
			return m, err
		}
		if o == nil {
			continue
		}
		var config map[string]any
		if bounded.Unmarshal(kube.Text(o.Object, "data", "mesh"), &config) != nil {
			continue // Istio does not understand it either, and nothing in it counts
		}
		if root := kube.Text(config, "rootNamespace"); root != "" && name == "istio" {
			m.root = root
		}
		m.providers = append(m.providers, kube.Items(config, "extensionProviders")...)
	}
	return m, nil
}

// named returns the definitions of a provider: one for each revision of Istio that knows it.
func (m mesh) named(name string) []map[string]any {
	return slices.DeleteFunc(slices.Clone(m.providers), func(p map[string]any) bool { return name == "" || kube.Text(p, "name") != name })
}
