package status

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// workloadPrefixes maps workloads in namespace kubeflow to components, by name prefix.
var workloadPrefixes = []struct {
	component string
	names     []string
}{
	{"pipelines", []string{"ml-pipeline", "workflow-controller", "cache-", "metadata-", "minio", "mysql", "seaweedfs", "kubeflow-pipelines", "argo-ui", "metacontroller"}},
	{"katib", []string{"katib"}},
	{"dashboard", []string{"centraldashboard", "dashboard"}},
	{"notebooks", []string{"jupyter-web-app", "notebook-controller", "notebooks"}},
	{"profiles", []string{"profiles"}},
	{"poddefaults", []string{"admission-webhook"}},
	{"tensorboards", []string{"tensorboard"}},
	{"volumes", []string{"volumes-web-app", "pvcviewer"}},
	{"kserve", []string{"kserve", "kfserving", "models-web-app", "inferenceservice"}},
	{"training", []string{"training-operator", "tf-job-operator", "pytorch-operator", "mpi-operator", "mxnet-operator", "xgboost-operator"}},
	{"trainer", []string{"kubeflow-trainer", "jobset"}},
	{"spark", []string{"spark-operator"}},
	{"seldon", []string{"seldon"}},
	{"application", []string{"application-controller"}},
}

// Detect returns an inventory of the workloads of a Kubeflow that was installed by other means: those in the namespaces that
// Kubeflow's releases use. It is nil if there are none.
func Detect(ctx context.Context, view cluster.View) (*inventory.Inventory, error) {
	var questions []cluster.Question
	for _, home := range inventory.ReleaseNamespaces {
		for _, kind := range workloadKinds {
			questions = append(questions, cluster.Question{Kind: schema.GroupKind{Group: "apps", Kind: kind}, In: cluster.Scope{Namespace: home.Namespace}})
		}
	}
	cluster.Ahead(ctx, view, questions...)
	var found []inventory.Entry
	for _, home := range inventory.ReleaseNamespaces {
		for _, kind := range workloadKinds {
			list, err := view.List(ctx, schema.GroupKind{Group: "apps", Kind: kind}, cluster.Scope{Namespace: home.Namespace})
			if apierrors.IsForbidden(err) && home.Component != "" || meta.IsNoMatchError(err) {
				continue // these namespaces may hold other software: one of them missing proves nothing
			}
			if err != nil {
				return nil, err
			}
			for _, o := range list {
				component := home.Component
				if component == "" {
					component = componentNamed(o.GetName())
				}
				found = append(found, inventory.Entry{Ref: cluster.RefOf(o), Component: component, Applied: "by somebody else"})
			}
		}
	}
	kubeflow := slices.ContainsFunc(found, func(e inventory.Entry) bool { return e.Namespace == "kubeflow" && e.Component != others })
	if !kubeflow {
		return nil, nil // cert-manager and Istio alone are not Kubeflow
	}
	return &inventory.Inventory{Objects: found}, nil
}

var workloadKinds = []string{"Deployment", "StatefulSet", "DaemonSet"}

const others = "others"

// componentNamed returns the component of a workload in namespace kubeflow.
func componentNamed(name string) string {
	for _, part := range workloadPrefixes {
		if slices.ContainsFunc(part.names, func(begin string) bool { return strings.HasPrefix(name, begin) }) {
			return part.component
		}
	}
	return others
}
