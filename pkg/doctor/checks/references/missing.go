package references

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
)

// A gap is something that is named and does not exist.
type gap struct {
	what   string // "ConfigMap kubeflow/x", "key y of ConfigMap kubeflow/x"
	near   string // the nearest name that exists, "" if none is near
	soft   bool
	effect string
	users  []place
}

// gaps collects them by what is missing, in the order in which they are found.
type gaps struct {
	byWhat map[string]*gap
	order  []*gap
}

func (g *gaps) add(p place, new gap) {
	if g.byWhat == nil {
		g.byWhat = map[string]*gap{}
	}
	known := g.byWhat[new.what]
	if known == nil {
		known = &new
		g.byWhat[new.what] = known
		g.order = append(g.order, known)
	}
	known.soft = known.soft && new.soft
	known.users = append(known.users, p)
}

// follow follows the edges of all objects.
func (k *known) follow(g *gaps) {
	for _, e := range allEdges() {
		for _, kind := range e.from {
			for _, o := range k.of(kind) {
				places(o, e.field, func(p place) { k.followOne(e, p, g) })
			}
		}
	}
}

func (k *known) followOne(e edge, p place, g *gaps) {
	t := target{e.to, p.object.GetNamespace(), valueOf(p)}
	if clusterScoped(e.to) {
		t.namespace = ""
	}
	if e.read != nil {
		t = e.read(p)
	}
	if t.name == "" || p.beside["optional"] == true || given(t) {
		return
	}
	found := k.find(t)
	switch {
	case found == nil && !k.complete(t.kind, t.namespace), found == nil && k.madeLater(t):
	case found == nil:
		near := k.nearest(t)
		if near != "" || !e.soft && !alwaysThere(t.namespace) && !shipped(p) {
			g.add(p, gap{what: describe(t), near: near, soft: e.soft, effect: e.effect})
		}
	default:
		k.followKeys(e, p, found, g)
		k.followPort(e, p, found, g)
	}
}

// followKeys looks for the keys of a ConfigMap or Secret that are named with it.
func (k *known) followKeys(e edge, p place, found *unstructured.Unstructured, g *gaps) {
	keys := keysOf(found)
	if e.keys == "" || p.beside["optional"] == true || len(keys) == 0 && (!k.manifests || found.GetKind() == kube.SecretKind.Kind) {
		return // of a cluster's Secrets only the names are read, and what is empty in manifests is filled later
	}
	beside := &unstructured.Unstructured{Object: p.beside}
	places(beside, e.keys, func(at place) {
		key := valueOf(at)
		if key == "" || slices.Contains(keys, key) || strings.HasPrefix(key, "redacted-") { // in a bundle
			return
		}
		near := text.Closest(key, keys)
		if near != "" {
			near = "key " + near
		}
		parent := strings.TrimSuffix(p.path, p.path[strings.LastIndexByte(p.path, '.')+1:])
		at.object, at.path = p.object, parent+at.path
		g.add(at, gap{what: fmt.Sprintf("key %s of %s", key, kube.KindName(found)), near: near, effect: podsWait})
	})
}

func keysOf(o *unstructured.Unstructured) []string {
	var keys []string
	for _, field := range []string{"data", "stringData", "binaryData"} {
		keys = append(keys, slices.Sorted(maps.Keys(kube.Map(o.Object, field)))...)
	}
	return keys
}

// followPort looks for the port of a Service that is wanted.
func (k *known) followPort(e edge, p place, service *unstructured.Unstructured, g *gaps) {
	if e.port == nil {
		return
	}
	wanted := e.port(p)
	if wanted == nil || kube.Text(service.Object, "spec", "type") == "ExternalName" {
		return
	}
	var ports []string
	for _, port := range kube.Items(service.Object, "spec", "ports") {
		if fmt.Sprint(port["port"]) == fmt.Sprint(wanted) || port["name"] == wanted {
			return
		}
		ports = append(ports, fmt.Sprint(port["port"]))
	}
	if len(ports) == 0 {
		return
	}
	p.path = p.path[:strings.LastIndexByte(p.path, '.')] + ".port"
	g.add(p, gap{what: fmt.Sprintf("port %v of %s", wanted, kube.KindName(service)), near: "port " + text.List(ports, text.Most), effect: e.effect})
}

// given reports whether an object exists in every cluster.
func given(t target) bool {
	switch t.kind {
	case serviceAccountKind:
		return t.name == "default"
	case clusterRoleKind:
		return slices.Contains([]string{"admin", "edit", "view", "cluster-admin"}, t.name)
	case roleKind, roleBindingKind:
		return strings.HasPrefix(t.name, "system:") || strings.HasPrefix(t.name, "extension-apiserver-")
	case priorityClassKind:
		return strings.HasPrefix(t.name, "system-")
	case kube.ConfigMapKind:
		return t.name == "kube-root-ca.crt" || t.name == "istio-ca-root-cert"
	}
	return false
}

// madeLater reports whether something else makes a Secret: a Certificate, or a server that issues its own certificate. A name that is a
// slip away from an existing one is more likely wrong.
func (k *known) madeLater(t target) bool {
	if t.kind != kube.SecretKind || !k.manifests {
		return false
	}
	if slices.Contains(k.issued(t.namespace), t.name) {
		return true
	}
	own := strings.HasPrefix(t.name, "istio.") || slices.ContainsFunc(certificateSuffixes, func(s string) bool { return strings.HasSuffix(t.name, s) })
	return own && !slices.ContainsFunc(k.names(t), func(name string) bool { return levenshtein.ComputeDistance(name, t.name) <= 2 })
}

// certificateSuffixes end the names of Secrets in which servers keep certificates that they issue themselves.
var certificateSuffixes = []string{"-tls", "-cert", "-certs"}

// issued returns the names of the Secrets that cert-manager makes in a namespace.
func (k *known) issued(namespace string) []string {
	var names []string
	for _, certificate := range k.objects[certificateKind][namespace] {
		names = append(names, kube.Text(certificate.Object, "spec", "secretName"))
	}
	return names
}

// names returns the names that are known in the place of a target.
func (k *known) names(t target) []string {
	names := slices.Collect(maps.Keys(k.objects[t.kind][t.namespace]))
	if t.kind == kube.SecretKind {
		names = append(names, k.issued(t.namespace)...)
	}
	slices.Sort(names)
	return names
}

// shipped reports whether Kubeflow ships a reference that leads nowhere, and nothing misses what it names.
func shipped(p place) bool {
	return slices.Contains([]string{
		"VirtualService kubeflow/grafana-vs",                            // a dashboard of Istio 1.3 that no release installs
		"Service kubeflow/kfserving-controller-manager-metrics-service", // selects labels that 1.2.0 gives to no pod
	}, kube.KindName(p.object))
}

// nearest returns the existing object whose name is most like a missing one, "" if none is.
func (k *known) nearest(t target) string {
	if name := text.Closest(t.name, k.names(t)); name != "" {
		return describe(target{t.kind, t.namespace, name})
	}
	for _, namespace := range slices.Sorted(maps.Keys(k.objects[t.kind])) {
		if k.objects[t.kind][namespace][t.name] != nil {
			return describe(target{t.kind, namespace, t.name})
		}
	}
	return ""
}

func describe(t target) string {
	if t.namespace == "" {
		return t.kind.Kind + " " + t.name
	}
	return t.kind.Kind + " " + t.namespace + "/" + t.name
}

func clusterScoped(kind schema.GroupKind) bool {
	return kube.ClusterScoped(kind) || strings.HasPrefix(kind.Kind, "Cluster")
}
