package webhook

// status is the injector's annotation on a pod that it changed.
func status(m mesh) string {
	if m.native {
		return `{"initContainers":["istio-validation","istio-proxy"],"containers":null,"volumes":["istio-envoy","istio-data"],"imagePullSecrets":null,"revision":"default"}`
	}
	return `{"initContainers":["istio-init"],"containers":["istio-proxy"],"volumes":["istio-envoy"],"imagePullSecrets":null}`
}

// restricted is a security context that the restricted Pod Security Standard
// admits: with the CNI plugin the proxy needs no privilege.
func restricted() map[string]any {
	return map[string]any{
		"allowPrivilegeEscalation": false, "privileged": false, "readOnlyRootFilesystem": true,
		"runAsNonRoot": true, "runAsUser": 1337, "runAsGroup": 1337,
		"capabilities":   map[string]any{"drop": []any{"ALL"}},
		"seccompProfile": map[string]any{"type": "RuntimeDefault"},
	}
}

func resources(cpu, memory string) map[string]any {
	return map[string]any{"requests": map[string]any{"cpu": cpu, "memory": memory}}
}

func (m mesh) container() map[string]any {
	probe := map[string]any{
		"httpGet": map[string]any{"path": "/healthz/ready", "port": 15021}, "periodSeconds": 15, "failureThreshold": 4,
	}
	c := map[string]any{
		"name": "istio-proxy", "image": m.proxy,
		"args":            []any{"proxy", "sidecar", "--domain", "$(POD_NAMESPACE).svc.cluster.local"},
		"ports":           []any{map[string]any{"containerPort": 15090, "name": "http-envoy-prom", "protocol": "TCP"}},
		"env":             []any{map[string]any{"name": "POD_NAMESPACE", "valueFrom": map[string]any{"fieldRef": map[string]any{"fieldPath": "metadata.namespace"}}}},
		"readinessProbe":  probe,
		"securityContext": restricted(),
		"resources":       resources("100m", "128Mi"),
		"volumeMounts":    []any{map[string]any{"name": "istio-envoy", "mountPath": "/etc/istio/proxy"}},
	}
	if !m.native {
		probe["httpGet"] = map[string]any{"path": "/healthz/ready", "port": 15020}
		c["securityContext"] = map[string]any{"readOnlyRootFilesystem": true, "runAsUser": 1337}
		c["resources"] = resources("10m", "40Mi")
	}
	return c
}

// validation waits until the CNI plugin has set up the pod's network.
func (m mesh) validation() map[string]any {
	return map[string]any{
		"name": "istio-validation", "image": m.proxy, "args": []any{"istio-iptables", "--run-validation", "--skip-rule-apply"},
		"securityContext": restricted(), "resources": resources("100m", "128Mi"),
	}
}

// iptables sets up the pod's network itself, which requires NET_ADMIN.
func (m mesh) iptables() map[string]any {
	return map[string]any{
		"name": "istio-init", "image": m.proxy, "args": []any{"istio-iptables", "-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT"},
		"securityContext": map[string]any{"runAsUser": 0, "runAsNonRoot": false, "capabilities": map[string]any{"add": []any{"NET_ADMIN"}}},
		"resources":       resources("10m", "10Mi"),
	}
}

func (m mesh) volumes() []any {
	envoy := map[string]any{"name": "istio-envoy", "emptyDir": map[string]any{"medium": "Memory"}}
	if m.native {
		return []any{envoy, map[string]any{"name": "istio-data", "emptyDir": map[string]any{}}}
	}
	return []any{envoy}
}
