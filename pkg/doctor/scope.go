package doctor

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Namespaces are those that Kubeflow's components run in.
var Namespaces = []string{
	"kubeflow", "kubeflow-system", "istio-system", "knative-serving", "knative-eventing", "cert-manager", "auth", "oauth2-proxy",
}

// platformNamespaces begin the names of those that the cluster itself, its Istio add-on and its policy engines use: what is wrong there
// concerns everyone on the cluster.
var platformNamespaces = []string{"kube-", "aks-istio-", "gatekeeper-", "calico-", "tigera-", "mpi-operator", "kubectl-kubeflow"}

// limit makes findings about objects in other people's namespaces information, without a fix: whoever runs Kubeflow does not run those.
func (r *Report) limit(ctx context.Context, view cluster.View, checks []*Check, s Settings) {
	known := map[string]bool{}
	for i, c := range checks {
		if c.Everywhere {
			continue
		}
		findings := r.Checks[i].Findings
		for j := range findings {
			f := &findings[j]
			name := f.About.Namespace
			if name == "" || f.Severity == Info && f.Fix == nil {
				continue
			}
			in, asked := known[name]
			if !asked {
				in = concerns(ctx, view, s, name)
				known[name] = in
			}
			if !in {
				f.Severity, f.Fix = Info, nil
			}
		}
		sortFindings(findings)
	}
}

// concerns reports whether a namespace is Kubeflow's, a profile's or the platform's, or has pods of the gateway that serves the
// dashboard. What cannot be read counts as Kubeflow's.
func concerns(ctx context.Context, view cluster.View, s Settings, name string) bool {
	if slices.Contains(Namespaces, name) || slices.ContainsFunc(platformNamespaces, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
		return true
	}
	if s.Install != nil && slices.ContainsFunc(s.Install.Objects, func(o *unstructured.Unstructured) bool { return o.GetNamespace() == name }) {
		return true
	}
	namespace, err := cluster.IgnoreNotFound(view.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: kube.NamespaceKind.Kind, Name: name}))
	if err != nil || namespace != nil && IsProfile(namespace) {
		return true
	}
	for _, ref := range []cluster.Ref{
		{APIVersion: "kubeflow.org/v1", Kind: "Profile", Name: name}, // of manifests, whose namespaces are made later
		{APIVersion: "kubeflow.org/v1beta1", Kind: "Profile", Name: name},
	} {
		if profile, err := view.Get(ctx, ref); err == nil && profile != nil {
			return true
		}
	}
	return servesDashboard(ctx, view, name)
}

// servesDashboard reports whether a namespace has pods that Gateway kubeflow/kubeflow-gateway selects.
func servesDashboard(ctx context.Context, view cluster.View, name string) bool {
	gateway, err := view.Get(ctx, cluster.Ref{APIVersion: "networking.istio.io/v1beta1", Kind: "Gateway", Namespace: "kubeflow", Name: "kubeflow-gateway"})
	if err != nil {
		return false
	}
	var wanted []string
	for key, value := range kube.Map(gateway.Object, "spec", "selector") {
		if text, ok := value.(string); ok {
			wanted = append(wanted, key+"="+text)
		}
	}
	if len(wanted) == 0 {
		return false
	}
	slices.Sort(wanted)
	pods, err := view.List(ctx, kube.PodKind, cluster.Scope{Namespace: name, Labels: strings.Join(wanted, ",")})
	return err == nil && len(pods) > 0
}
