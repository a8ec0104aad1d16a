package plan

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A dependencyGraph says which objects of a plan others need in order to run. It does not order the plan: it finds what
// serves a webhook, which must not wait for that webhook.
type dependencyGraph struct {
	all                []*desired
	at                 map[cluster.Ref]int
	edges              [][]int
	issued             map[cluster.Ref]int // Secret → the Certificate that it is issued for
	certificateIssuers []int               // the workloads that issue certificates
}

func newDependencyGraph(all []*desired, kinds *kindTable) *dependencyGraph {
	g := &dependencyGraph{all: all, at: map[cluster.Ref]int{}, edges: make([][]int, len(all)), issued: map[cluster.Ref]int{}}
	for i, w := range all {
		g.at[w.ref] = i
		if w.ref.Kind == "Certificate" && w.ref.GroupKind().Group == CertManagerGroup {
			g.issued[cluster.Ref{Kind: "Secret", Namespace: w.ref.Namespace, Name: kube.Text(w.object.Object, "spec", "secretName")}] = i
		}
	}
	g.certificateIssuers = g.findIssuers()
	for i, w := range all {
		g.need(i, cluster.Ref{Kind: "Namespace", Name: w.object.GetNamespace()})
		if d, ok := kinds.defined[w.object.GroupVersionKind().GroupKind()]; ok {
			g.need(i, d.definition)
		}
		g.addNeeds(i, w.object)
	}
	return g
}

const CertManagerGroup = "cert-manager.io"

// addNeeds adds the dependencies of an object, by its kind.
func (g *dependencyGraph) addNeeds(i int, o *unstructured.Unstructured) {
	if template := PodTemplate(o); template != nil {
		for _, ref := range podNeeds(template, o.GetNamespace()) {
			g.need(i, ref)
		}
		return
	}
	switch o.GetKind() {
	case "RoleBinding", "ClusterRoleBinding":
		for _, subject := range kube.Items(o.Object, "subjects") {
			account := cluster.Ref{Kind: "ServiceAccount", Namespace: kube.Text(subject, "namespace"), Name: kube.Text(subject, "name")}
			if at, ok := g.at[account]; ok {
				g.edges[at] = append(g.edges[at], i) // a ServiceAccount needs its permissions
			}
		}
		role := cluster.Ref{APIVersion: "rbac.authorization.k8s.io/", Kind: kube.Text(o.Object, "roleRef", "kind"), Name: kube.Text(o.Object, "roleRef", "name")}
		if role.Kind == "Role" {
			role.Namespace = o.GetNamespace()
		}
		g.need(i, role)
	case "Certificate", "Issuer", "ClusterIssuer":
		if group, _, _ := strings.Cut(o.GetAPIVersion(), "/"); group != CertManagerGroup {
			return
		}
		issuer := cluster.Ref{APIVersion: CertManagerGroup + "/", Kind: kube.Text(o.Object, "spec", "issuerRef", "kind"), Name: kube.Text(o.Object, "spec", "issuerRef", "name")}
		if issuer.Kind != "ClusterIssuer" {
			issuer.Kind, issuer.Namespace = "Issuer", o.GetNamespace()
		}
		g.need(i, issuer)
		g.need(i, cluster.Ref{Kind: "Secret", Namespace: o.GetNamespace(), Name: kube.Text(o.Object, "spec", "ca", "secretName")})
		g.edges[i] = append(g.edges[i], g.certificateIssuers...)
	}
}

// need adds a dependency if the plan contains it, or the Certificate that it is issued for.
func (g *dependencyGraph) need(i int, ref cluster.Ref) {
	if at, ok := g.at[ref]; ok && at != i {
		g.edges[i] = append(g.edges[i], at)
	} else if at, ok := g.issued[ref]; ok && at != i {
		g.edges[i] = append(g.edges[i], at)
	}
}

// serving returns the objects that serve a Service: itself and the workloads it selects.
func (g *dependencyGraph) serving(service cluster.Ref) []int {
	at, ok := g.at[service]
	if !ok {
		return nil
	}
	out := []int{at}
	chosen, _, _ := unstructured.NestedStringMap(g.all[at].object.Object, "spec", "selector")
	if len(chosen) == 0 {
		return out
	}
	for i, w := range g.all {
		template := PodTemplate(w.object)
		if template != nil && w.object.GetNamespace() == service.Namespace && labels.SelectorFromSet(chosen).Matches(labels.Set(TemplateLabels(template))) {
			out = append(out, i)
		}
	}
	return out
}

// workloadsIn returns the workloads in a namespace.
func (g *dependencyGraph) workloadsIn(namespace string) []int {
	var out []int
	for i, w := range g.all {
		if w.object.GetNamespace() == namespace && PodTemplate(w.object) != nil {
			out = append(out, i)
		}
	}
	return out
}

// findIssuers returns the workloads that issue and inject certificates: those in the namespace of the webhook or the
// aggregated API for Certificates.
func (g *dependencyGraph) findIssuers() []int {
	namespaces := map[string]bool{}
	for _, w := range g.all {
		switch w.ref.GroupKind() {
		case kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind:
			for _, hook := range Webhooks(w.object) {
				for _, r := range hook.rules {
					if len(r.groups) == 1 && r.groups[0] == CertManagerGroup {
						namespaces[g.serviceOf(hook.Gate).Namespace] = true
					}
				}
			}
		}
	}
	var out []int
	for namespace := range namespaces {
		out = append(out, g.workloadsIn(namespace)...)
	}
	return out
}

// serviceOf returns the Service that opens a gate, the zero Ref if none does.
func (g *dependencyGraph) serviceOf(gate Gate) cluster.Ref {
	if gate.Kind != APIGate {
		return gate.Service
	}
	at, ok := g.at[gate.On]
	if !ok {
		return cluster.Ref{}
	}
	service := kube.Map(g.all[at].object.Object, "spec", "service")
	return cluster.Ref{Kind: "Service", Namespace: kube.Text(service, "namespace"), Name: kube.Text(service, "name")}
}

// reach returns the transitive dependencies of some objects, themselves included.
func (g *dependencyGraph) reach(from ...int) map[int]bool {
	seen := map[int]bool{}
	next := slices.Clone(from)
	for len(next) > 0 {
		i := next[len(next)-1]
		next = next[:len(next)-1]
		if !seen[i] {
			seen[i] = true
			next = append(next, g.edges[i]...)
		}
	}
	return seen
}
