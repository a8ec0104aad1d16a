package webhook

import (
	"slices"
	"strconv"
	"strings"
)

// A mesh is the Istio installation of the injector.
type mesh struct {
	proxy  string // image
	native bool   // the proxy is an init container that always restarts
}

// mesh detects the Istio version: up to 1.4 the injector had its own Service.
// istiod adds native sidecars from 1.27 on, and earlier if its environment asks
// for them, as Kubeflow does from 1.10 on; Kubernetes has them from 1.29 on.
func (h Handler) mesh() mesh {
	name, tag, _ := strings.Cut(h.Image, ":")
	registry := name[:strings.LastIndex(name, "/")+1]
	native := h.Service.Name != "istio-sidecar-injector" && (h.NativeSidecars || minor(tag) >= 27) && (h.KubernetesMinor == 0 || h.KubernetesMinor >= 29)
	return mesh{proxy: registry + "proxyv2:" + tag, native: native}
}

// minor returns 28 for "1.28.0-distroless".
func minor(tag string) int {
	parts := strings.SplitN(tag, ".", 3)
	if len(parts) < 2 || parts[0] != "1" {
		return 0
	}
	n, _ := strconv.Atoi(parts[1])
	return n
}

// inject adds Istio's proxy to a pod and reports whether it did. It skips pods
// on the host network and pods that opted out.
func inject(pod map[string]any, m mesh) bool {
	spec, meta := child(pod, "spec"), child(pod, "metadata")
	const optOut = "sidecar.istio.io/inject"
	if spec["hostNetwork"] == true || child(meta, "annotations")[optOut] == "false" || child(meta, "labels")[optOut] == "false" {
		return false
	}
	if has(spec, "containers", "istio-proxy") || has(spec, "initContainers", "istio-proxy") {
		return false
	}
	annotations := ensure(meta, "annotations")
	annotations["sidecar.istio.io/status"] = status(m)
	ensure(meta, "labels")["security.istio.io/tlsMode"] = "istio"
	proxy := m.container()
	if m.native {
		annotations["kubectl.kubernetes.io/default-container"] = first(spec)
		proxy["restartPolicy"] = "Always"
		// Before the pod's own init containers, so that these are in the mesh too.
		spec["initContainers"] = slices.Concat([]any{m.validation(), proxy}, items(spec, "initContainers"))
	} else {
		spec["initContainers"] = append(items(spec, "initContainers"), m.iptables())
		spec["containers"] = append(items(spec, "containers"), proxy)
	}
	spec["volumes"] = append(items(spec, "volumes"), m.volumes()...)
	return true
}

func child(of map[string]any, key string) map[string]any {
	value, _ := of[key].(map[string]any)
	return value
}

func ensure(of map[string]any, key string) map[string]any {
	if child(of, key) == nil {
		of[key] = map[string]any{}
	}
	return child(of, key)
}

func items(of map[string]any, key string) []any {
	value, _ := of[key].([]any)
	return slices.Clone(value)
}

func has(spec map[string]any, key, name string) bool {
	return slices.ContainsFunc(items(spec, key), func(item any) bool {
		container, _ := item.(map[string]any)
		return container["name"] == name
	})
}

func first(spec map[string]any) any {
	all := items(spec, "containers")
	if len(all) == 0 {
		return ""
	}
	container, _ := all[0].(map[string]any)
	return container["name"]
}
