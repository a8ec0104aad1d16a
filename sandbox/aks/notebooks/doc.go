// Package notebooks simulates Kubeflow's notebook controller and runs the server in a notebook's pod.
//
// The controller turns each Notebook into a StatefulSet, a Service and a VirtualService, reports the pod in the Notebook's status
// (readyReplicas, containerState, conditions), repeats the pod's events on the Notebook, and scales to zero while the
// annotation kubeflow-resource-stopped is set. It follows
// components/notebook-controller/controllers/notebook_controller.go of kubeflow/kubeflow: up to v1.4 conditions are the history
// of the container, later those of the pod. It runs only while Deployment notebook-controller-deployment is ready. Culling is
// left out.
//
// The server is a real one, Debian's jupyter-server, started as Kubeflow's images start it: without a token, below NB_PREFIX.
// Where it is not installed nothing listens in the pod.
package notebooks
