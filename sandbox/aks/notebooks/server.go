package notebooks

import (
	"context"
	"net"
	"os"
	"os/exec"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/process"
)

// interpreter is Debian's jupyter-server. Others on the PATH may lack a kernel with numpy.
const interpreter = "/usr/bin/jupyter-server"

// Server is the server of a notebook's pod.
func Server() *process.Program {
	return &process.Program{Name: "notebook", Command: command, Container: func(pod *corev1.Pod) string {
		if !Is(pod) {
			return ""
		}
		return pod.Labels["notebook-name"]
	}}
}

// Is reports whether a pod is a notebook's.
func Is(pod *corev1.Pod) bool { return pathOf(pod) != "" }

// pathOf returns the path below which the server in a pod listens, "" for other pods.
func pathOf(pod *corev1.Pod) string {
	if pod.Labels["notebook-name"] == "" {
		return ""
	}
	for i := range pod.Spec.Containers {
		for _, v := range pod.Spec.Containers[i].Env {
			if v.Name == "NB_PREFIX" {
				return v.Value
			}
		}
	}
	return ""
}

// command returns the command line of Kubeflow's images, nil without Jupyter.
func command(_ context.Context, pod *corev1.Pod, dir, address string) (*exec.Cmd, error) {
	if _, err := os.Stat(interpreter); err != nil {
		return nil, nil
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	path := pathOf(pod)
	cmd := exec.Command(interpreter, "--notebook-dir="+dir, "--ip=127.0.0.1", "--port="+port, "--ServerApp.port_retries=0", "--no-browser",
		"--allow-root", "--ServerApp.token=", "--ServerApp.password=", "--ServerApp.allow_origin=*", "--ServerApp.allow_remote_access=True",
		"--ServerApp.base_url="+path, "--ServerApp.authenticate_prometheus=False")
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "JUPYTER_RUNTIME_DIR=" + dir, "OPENBLAS_NUM_THREADS=1", "NB_PREFIX=" + path}
	return cmd, nil
}

// Port returns the port of a notebook's server.
func Port(pod *corev1.Pod) int32 {
	for i := range pod.Spec.Containers {
		if c := &pod.Spec.Containers[i]; c.Name == pod.Labels["notebook-name"] && len(c.Ports) > 0 {
			return c.Ports[0].ContainerPort
		}
	}
	return serverPort
}
