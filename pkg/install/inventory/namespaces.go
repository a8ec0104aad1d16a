package inventory

import "github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"

// ReleaseNamespaces are the namespaces of Kubeflow releases, and the component that everything in them belongs to ("" is several).
var ReleaseNamespaces = []struct{ Namespace, Component string }{
	{"cert-manager", "cert-manager"}, {"istio-system", "istio"}, {"auth", "dex"}, {"oauth2-proxy", "oauth2-proxy"},
	{"knative-serving", "knative"}, {"knative-eventing", "knative"}, {"kserve", "kserve"}, {"kubeflow-system", "trainer"}, {"kubeflow", ""},
}

// InKubeflow reports whether an object is in a namespace of Kubeflow's releases.
func InKubeflow(ref cluster.Ref) bool {
	for _, home := range ReleaseNamespaces {
		if home.Namespace == ref.Namespace {
			return true
		}
	}
	return false
}
