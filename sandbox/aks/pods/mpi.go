package pods

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// mpiOperator: from v0.3.0 on, the image's entry point is the v2 program, which
// does not have the flag --kubectl-delivery-image and exits with code 2.
func mpiOperator(_ *corev1.Pod, container *corev1.Container, _ Config) *Act {
	name, tag := splitImage(container.Image)
	if !strings.HasSuffix(name, "/mpi-operator") || strings.HasPrefix(tag, "v0.2.") || strings.HasPrefix(tag, "0.2.") {
		return nil
	}
	if len(container.Command) > 0 && container.Command[0] == "/opt/mpi-operator.v1" {
		return nil
	}
	for _, arg := range append(container.Command[:len(container.Command):len(container.Command)], container.Args...) {
		if flag, _, _ := strings.Cut(arg, "="); strings.TrimLeft(flag, "-") == "kubectl-delivery-image" {
			return &Act{Behaviour: Crashes, ExitCode: 2, Log: "flag provided but not defined: -kubectl-delivery-image"}
		}
	}
	return nil
}

// splitImage splits an image into name and tag and ignores a digest.
func splitImage(image string) (name, tag string) {
	name, _, _ = strings.Cut(image, "@")
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		return name[:colon], name[colon+1:]
	}
	return name, "latest"
}
