package references

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// A gap is something that is named and does not exist.
type gap struct {
	what string // "ConfigMap kubeflow/x", "key y of ConfigMap kubeflow/x"
	near string // the nearest name that exists, "" if none is near
	soft bool
	// elsewhere tells that it may be in a place that was not read: Services of other clusters of a mesh.
	elsewhere bool
	// leftOver tells that those that name it may be left over from an earlier release.
	leftOver bool
	effect   string
	needs    []cluster.Ref // what is missing, where it is an object
	users    []place
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
	known.elsewhere = known.elsewhere && new.elsewhere
	known.leftOver = known.leftOver && new.leftOver
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
	if t.name == "" || p.beside["optional"] == true || given(t) || !k.concerns(p, t) {
		return
	}
	found, runs := k.find(t), k.runs(p.object)
	switch {
	case found == nil && !k.complete(t.kind, t.namespace), found == nil && (k.manifests || runs) && k.madeLater(t):
	case found == nil:
		soft := e.soft && !k.admitsNobody(p)
		near := k.nearest(t)
		if near == "" && !soft {
			near = k.renamed(t)
		}
		if near != "" || !e.soft && !alwaysThere(t.namespace) && !shipped(p) {
			g.add(p, gap{what: describe(t), near: near, soft: runs || soft, elsewhere: e.elsewhere, leftOver: e.stays && !k.manifests, effect: e.effect, needs: one(t.ref())})
		}
	default:
		k.followKeys(e, p, found, runs, g)
		k.followPort(e, p, found, g)
	}
}

// dropLeftOvers drops what is missed by nothing but objects that may be left over from an earlier release. Those that the last install
// brought, in the same component as what they miss, are not. Where that is not known, they are taken as left over.
func (g *gaps) dropLeftOvers(ctx context.Context, e doctor.Exam) error {
	if !slices.ContainsFunc(g.order, func(missing *gap) bool { return missing.leftOver }) {
		return nil // an inspection reads everything that was installed
	}
	installed, err := e.Installed(ctx)
	if err != nil && !(apierrors.IsForbidden(err) && e.Without(err)) {
		return err
	}
	g.order = slices.DeleteFunc(g.order, func(missing *gap) bool {
		return missing.leftOver && !slices.ContainsFunc(missing.users, func(p place) bool {
			by, of := installed.Find(cluster.RefOf(p.object)), installed.Find(missing.needs[0])
			return by != nil && of != nil && by.Component == of.Component
		})
	})
	return nil
}

// runs reports whether a workload on a cluster has all its pods: what it refers to was there when they started, and is missed when they are
// started again.
func (k *known) runs(o *unstructured.Unstructured) bool {
	if k.manifests || !workloads.IsWorkload(o.GroupVersionKind().GroupKind()) || len(kube.Map(o.Object, "status")) == 0 {
		return false
	}
	ready, _ := cluster.Ready(o)
	return ready && (kube.Number(o.Object, "status", "readyReplicas") > 0 || kube.Number(o.Object, "status", "numberReady") > 0)
}

// followKeys looks for the keys of a ConfigMap or Secret that are named with it.
func (k *known) followKeys(e edge, p place, found *unstructured.Unstructured, runs bool, g *gaps) {
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
		g.add(at, gap{what: fmt.Sprintf("key %s of %s", key, kube.KindName(found)), near: near, soft: runs, effect: podsWait})
	})
}

func keysOf(o *unstructured.Unstructured) []string {
	var keys []string
	for _, field := range []string{"data", "stringData", "binaryData"} {
		keys = append(keys, slices.Sorted(maps.Keys(kube.Map(o.Object, field)))...)
	}
	return keys
}

// given reports whether an object exists in every cluster.
func given(t target) bool {
	switch t.kind {
	case kube.ServiceAccountKind:
		return t.name == "default"
	case clusterRoleKind:
		return slices.Contains([]string{"admin", "edit", "view", "cluster-admin"}, t.name)
	case roleKind, kube.RoleBindingKind:
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
	if t.kind != kube.SecretKind {
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

// renamed returns the existing object that a missing one was perhaps renamed to, "" if there is none. Of manifests there is no earlier name.
func (k *known) renamed(t target) string {
	if name := text.Within(t.name, k.names(t)); name != "" && !k.manifests {
		return describe(target{t.kind, t.namespace, name})
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
