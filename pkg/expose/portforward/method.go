package portforward

import "github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"

// Method makes the dashboard reachable from this computer only.
var Method = expose.Method{
	Name: "port-forward", Flag: "--port-forward", Summary: "on this computer only, while the command runs; changes nothing on the cluster",
}
