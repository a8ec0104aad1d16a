package cluster

import (
	"fmt"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// kubectlDefault is the server that kubectl falls back to where nothing is configured: no AKS cluster answers there.
const kubectlDefault = "http://localhost:8080"

// configuration returns how to reach the cluster and the name of the context that says so; "" in a pod.
func configuration(getter genericclioptions.RESTClientGetter) (*rest.Config, string, error) {
	raw, err := getter.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, "", unconfigured(err)
	}
	current := raw.CurrentContext
	if flags, ok := getter.(*genericclioptions.ConfigFlags); ok && flags.Context != nil && *flags.Context != "" {
		current = *flags.Context
	}
	if _, known := raw.Contexts[current]; !known && current != "" {
		return nil, "", &problem.Error{What: fmt.Sprintf("there is no context %q in the kubeconfig", current), Next: "List the contexts with: kubectl config get-contexts"}
	}
	config, err := getter.ToRESTConfig()
	if err != nil {
		return nil, "", unconfigured(err)
	}
	if current == "" && len(raw.Contexts) > 0 && config.Host == kubectlDefault {
		return nil, "", &problem.Error{What: "the kubeconfig has no current context", Next: fmt.Sprintf("Select one with: kubectl config use-context %s, or name it with --context", escape.Word(aContext(raw.Contexts)))}
	}
	if len(raw.Clusters) == 0 && config.Host == kubectlDefault {
		return nil, "", &problem.Error{What: "there is no kubeconfig with a current context", Next: getOne}
	}
	if in := raw.Contexts[current]; in != nil && raw.Clusters[in.Cluster] == nil && config.Host == kubectlDefault {
		return nil, "", &problem.Error{What: fmt.Sprintf("context %q is of the cluster %q, which the kubeconfig does not have", current, in.Cluster), Next: "List the contexts with: kubectl config get-contexts"}
	}
	return config, current, nil
}

// aContext returns the name to type: the only one there is, or a placeholder.
func aContext(contexts map[string]*api.Context) string {
	if len(contexts) == 1 {
		for name := range contexts {
			return name
		}
	}
	return "NAME"
}

const getOne = "Name one with --kubeconfig, or get an AKS cluster's with: az aks get-credentials --resource-group GROUP --name CLUSTER"

// unconfigured explains a kubeconfig that cannot be used.
func unconfigured(err error) error {
	return &problem.Error{What: "the kubeconfig cannot be used: " + err.Error(), Next: getOne, Err: err}
}
