package checks

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// The two levels of Kubernetes' Pod Security Standards, as far as Kubeflow's pods come near them.

// harmless are the capabilities that the level baseline lets containers add.
var harmless = []corev1.Capability{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

// beyondBaseline says what a pod asks for that the level baseline refuses.
func beyondBaseline(spec corev1.PodSpec) []string {
	var beyond []string
	add := func(refused bool, what string) {
		if refused {
			beyond = append(beyond, what)
		}
	}
	add(spec.HostNetwork || spec.HostPID || spec.HostIPC, "the node's own network or processes")
	add(slices.ContainsFunc(spec.Volumes, func(v corev1.Volume) bool { return v.HostPath != nil }), "a folder of the node")
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		add(slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.HostPort != 0 }), "a port of the node")
		if s := c.SecurityContext; s != nil {
			add(s.Privileged != nil && *s.Privileged, "a privileged container")
			add(s.Capabilities != nil && slices.ContainsFunc(s.Capabilities.Add, func(c corev1.Capability) bool { return !slices.Contains(harmless, c) }), "a capability")
		}
	}
	return beyond
}

// beyondRestricted says what a pod leaves open that the level restricted wants closed.
func beyondRestricted(spec corev1.PodSpec) []string {
	var beyond []string
	add := func(refused bool, what string) {
		if refused {
			beyond = append(beyond, what)
		}
	}
	pod := spec.SecurityContext
	if pod == nil {
		pod = &corev1.PodSecurityContext{}
	}
	add(rootUser(pod.RunAsUser), "user 0")
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		s := c.SecurityContext
		if s == nil {
			s = &corev1.SecurityContext{}
		}
		add(s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation, "no allowPrivilegeEscalation=false")
		add(s.RunAsNonRoot == nil && !isTrue(pod.RunAsNonRoot) || s.RunAsNonRoot != nil && !*s.RunAsNonRoot, "no runAsNonRoot=true")
		add(rootUser(s.RunAsUser), "user 0")
		add(s.Capabilities == nil || !slices.Contains(s.Capabilities.Drop, "ALL"), "capabilities that are not dropped")
		add(s.Capabilities != nil && slices.ContainsFunc(s.Capabilities.Add, func(c corev1.Capability) bool { return c != "NET_BIND_SERVICE" }), "a capability")
		profile := s.SeccompProfile
		if profile == nil {
			profile = pod.SeccompProfile
		}
		add(profile == nil || profile.Type == corev1.SeccompProfileTypeUnconfined, "no seccomp profile")
	}
	return beyond
}

func isTrue(b *bool) bool { return b != nil && *b }

func rootUser(id *int64) bool { return id != nil && *id == 0 }
