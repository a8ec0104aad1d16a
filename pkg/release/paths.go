package release

import (
	"path"
	"regexp"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kustomization"
)

// places map folders of the manifests to components, from Kubeflow 1.3 on. The longest match counts; a
// folder without a match is a component of its own.
var places = map[string]string{
	"admission-webhook":              "poddefaults",
	"centraldashboard":               "dashboard",
	"hub":                            "model-registry",
	"istio/cluster-local-gateway":    "knative",
	"istio/kubeflow-istio-resources": "kubeflow",
	"jupyter":                        "notebooks",
	"kubeflow-namespace":             "namespaces",
	"kubeflow-roles":                 "kubeflow",
	"mpi-job":                        "training",
	"mxnet-job":                      "training",
	"networkpolicies":                "kubeflow",
	"notebooks-v1":                   "notebooks",
	"oidc-authservice":               "authservice",
	"oidc-client/oauth2-proxy":       "oauth2-proxy",
	"oidc-client/oidc-authservice":   "authservice",
	"pipeline":                       "pipelines",
	"pvcviewer-controller":           "volumes",
	"pytorch-job":                    "training",
	"seaweedfs":                      "pipelines",
	"security":                       "kubeflow",
	"tensorboard":                    "tensorboards",
	"tf-training":                    "training",
	"training-operator":              "training",
	"volumes-web-app":                "volumes",
	"xgboost-job":                    "training",
}

// roots are the top folders of the manifests: they reflect who maintains the manifests, not the component.
var roots = map[string]bool{"applications": true, "apps": true, "common": true, "contrib": true, "experimental": true}

// numbered matches the Istio version in folder names up to Kubeflow 1.10: istio-1-9, istio-cni-1-24.
var numbered = regexp.MustCompile(`^istio(-cni)?(-\d+)+$`)

// componentAt returns the component of a resource by its path in the archive, or its address.
func componentAt(resource string) string {
	if remote, ok, err := kustomization.ParseRemote(resource); ok && err == nil {
		repository, _, _ := strings.Cut(remote.URL, "/archive/")
		resource = path.Join(path.Base(repository), remote.Path)
	}
	parts := strings.Split(path.Clean(resource), "/")
	for len(parts) > 1 && (roots[parts[0]] || parts[0] == "..") {
		parts = parts[1:]
	}
	if numbered.MatchString(parts[0]) {
		parts[0] = "istio"
	}
	for n := len(parts); n > 0; n-- {
		if name := places[strings.Join(parts[:n], "/")]; name != "" {
			return name
		}
	}
	return strings.TrimSuffix(parts[0], path.Ext(parts[0]))
}
