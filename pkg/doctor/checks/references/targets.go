package references

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A target is the object that a field names. One without a name is not looked for: wildcards, other clusters.
type target struct {
	kind            schema.GroupKind
	namespace, name string
}

func (t target) ref() cluster.Ref {
	return cluster.Ref{APIVersion: t.kind.WithVersion("v1").GroupVersion().String(), Kind: t.kind.Kind, Namespace: t.namespace, Name: t.name}
}

// The ways in which names are written.

// beside reads a name with a namespace beside it.
func beside(kind schema.GroupKind) func(place) target {
	return func(p place) target { return target{kind, p.text("namespace"), valueOf(p)} }
}

// qualified reads "namespace/name".
func qualified(kind schema.GroupKind) func(place) target {
	return func(p place) target {
		namespace, name, _ := strings.Cut(valueOf(p), "/")
		return target{kind, namespace, name}
	}
}

func role(p place) target {
	if p.text("kind") == roleKind.Kind {
		return target{roleKind, p.object.GetNamespace(), valueOf(p)}
	}
	if strings.HasPrefix(valueOf(p), "system:") { // the API server makes them
		return target{}
	}
	return target{clusterRoleKind, "", valueOf(p)}
}

func subject(p place) target {
	if p.text("kind") != kube.ServiceAccountKind.Kind {
		return target{}
	}
	namespace := p.text("namespace")
	if namespace == "" {
		namespace = p.object.GetNamespace()
	}
	return target{kube.ServiceAccountKind, namespace, valueOf(p)}
}

func scaled(p place) target {
	group, _, found := strings.Cut(p.text("apiVersion"), "/")
	if !found {
		group = ""
	}
	return target{schema.GroupKind{Group: group, Kind: p.text("kind")}, p.object.GetNamespace(), valueOf(p)}
}

func gateway(p place) target {
	namespace, name, found := strings.Cut(valueOf(p), "/")
	if !found {
		namespace, name = p.object.GetNamespace(), valueOf(p)
	}
	if name == "mesh" && !found {
		return target{}
	}
	return target{gatewayKind, namespace, name}
}

// host reads the address of a Service in the cluster: its name, name.namespace, or name.namespace.svc.cluster.local.
func host(p place) target {
	name := strings.TrimSuffix(strings.TrimSuffix(valueOf(p), ".cluster.local"), ".svc")
	parts := strings.Split(name, ".")
	switch {
	case strings.Contains(name, "*"):
	case len(parts) == 1:
		return target{kube.ServiceKind, p.object.GetNamespace(), name}
	case len(parts) == 2:
		return target{kube.ServiceKind, parts[1], parts[0]}
	}
	return target{}
}

// address reads the host of a URL.
func address(p place) target {
	_, rest, found := strings.Cut(valueOf(p), "://")
	if !found {
		return target{}
	}
	rest, _, _ = strings.Cut(rest, "/")
	rest, _, _ = strings.Cut(rest, ":")
	p.value = rest
	return host(p)
}

// principal reads "TRUST-DOMAIN/ns/NAMESPACE/sa/NAME". Other trust domains are other meshes.
func principal(p place) target {
	parts := strings.Split(valueOf(p), "/")
	if len(parts) != 5 || parts[0] != "cluster.local" || strings.Contains(valueOf(p), "*") {
		return target{}
	}
	return target{kube.ServiceAccountKind, parts[2], parts[4]}
}

func principalCondition(p place) target {
	if p.text("key") != "source.principal" {
		return target{}
	}
	return principal(p)
}

func issuer(p place) target {
	switch group := p.text("group"); {
	case group != "" && group != issuerKind.Group:
		return target{} // another controller's
	case p.text("kind") == clusterIssuerKind.Kind:
		return target{clusterIssuerKind, "", valueOf(p)}
	}
	return target{issuerKind, p.object.GetNamespace(), valueOf(p)}
}

func trainingRuntime(p place) target {
	if kind := p.text("kind"); kind != "" && kind != trainRuntimeKind.Kind {
		return target{}
	}
	return target{trainRuntimeKind, "", valueOf(p)}
}

func valueOf(p place) string {
	value, _ := p.value.(string)
	return value
}

// The ways in which ports are written.

func sibling(field string, otherwise int64) func(place) any {
	return func(p place) any {
		if port, ok := p.beside[field]; ok {
			return port
		}
		return otherwise
	}
}

func ingressPort(p place) any {
	port, _ := p.beside["port"].(map[string]any)
	if name, ok := port["name"]; ok {
		return name
	}
	return port["number"]
}

func destinationPort(p place) any {
	port, _ := p.beside["port"].(map[string]any)
	return port["number"]
}
