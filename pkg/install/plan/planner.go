package plan

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A planner finds the gates of each object.
type planner struct {
	all     []*desired
	live    *liveState
	kinds   *kindTable
	needs   *dependencyGraph
	hooks   []webhook
	exempt  map[Gate]map[int]bool // the objects that must not wait for a gate, since they open it
	openers map[Gate][]int
	labels  map[string]labels.Set // of namespaces

	gates   [][]Gate
	guarded []bool
	cycles  []Cycle
}

func newPlanner(all []*desired, live *liveState, kinds *kindTable) *planner {
	p := &planner{
		all: all, live: live, kinds: kinds, needs: newDependencyGraph(all, kinds),
		exempt: map[Gate]map[int]bool{}, openers: map[Gate][]int{}, labels: map[string]labels.Set{},
		gates: make([][]Gate, len(all)), guarded: make([]bool, len(all)),
	}
	p.readNamespaces()
	p.readWebhooks()
	for i, w := range all {
		p.gates[i], p.guarded[i] = p.gatesOf(i, w)
	}
	p.breakCycles()
	return p
}

// readNamespaces collects the labels that namespaces will have after the install, for the webhooks' selectors.
func (p *planner) readNamespaces() {
	learn := func(o *unstructured.Unstructured) {
		set := p.labels[o.GetName()]
		if set == nil {
			set = labels.Set{"kubernetes.io/metadata.name": o.GetName()}
			p.labels[o.GetName()] = set
		}
		maps.Copy(set, o.GetLabels())
	}
	for _, o := range p.live.namespaces {
		learn(o)
	}
	for _, w := range p.all {
		if w.ref.GroupKind() == kube.NamespaceKind {
			learn(w.object)
		}
	}
}

// readWebhooks collects the webhooks of the plan and those on the cluster.
func (p *planner) readWebhooks() {
	for _, w := range p.all {
		if kind := w.ref.GroupKind(); kind == kube.MutatingWebhookConfigurationKind || kind == kube.ValidatingWebhookConfigurationKind {
			p.hooks = append(p.hooks, Webhooks(w.object)...)
		}
	}
	for _, o := range p.live.webhooks {
		if _, ours := p.needs.at[cluster.RefOf(o).Identity()]; !ours {
			p.hooks = append(p.hooks, Webhooks(o)...)
		}
	}
}

// gatesOf returns the gates of an object, and whether any webhook matches it, gate or not.
func (p *planner) gatesOf(i int, w *desired) (gates []Gate, guarded bool) {
	add := func(g Gate) {
		if !slices.Contains(gates, g) {
			gates = append(gates, g)
		}
	}
	namespace := cluster.Ref{Kind: "Namespace", Name: w.object.GetNamespace()}
	if _, ours := p.needs.at[namespace]; ours {
		add(Gate{Kind: NamespaceGate, On: namespace})
	}
	kind := w.object.GroupVersionKind()
	if d, ok := p.kinds.defined[kind.GroupKind()]; ok {
		add(Gate{Kind: KindGate, On: d.definition})
		if gate, ok := p.conversion(d.definition, kind.Version); ok {
			guarded = true
			p.addUnlessServing(i, gate, add)
		}
	}
	if gate, ok := p.aggregated(kind.GroupVersion()); ok {
		p.addUnlessServing(i, gate, add)
	}
	about := p.subjectOf(w.object)
	for _, hook := range p.hooks {
		if hook.matches(about) {
			guarded = true
			p.addUnlessServing(i, hook.Gate, add)
		}
	}
	if pods, ok := p.podsOf(w.object); ok {
		for _, hook := range p.hooks {
			if hook.mutating && hook.matches(pods) {
				gate := hook.Gate
				if gate.Kind == WebhookGate {
					gate.Kind = PodWebhookGate
				}
				p.addUnlessServing(i, gate, add)
			}
		}
	}
	return gates, guarded
}

func (p *planner) subjectOf(o *unstructured.Unstructured) subject {
	kind := o.GroupVersionKind()
	s := subject{kind: kind, resource: p.kinds.resource(kind), namespaced: o.GetNamespace() != "", labels: o.GetLabels()}
	s.namespaceLabels = p.labels[o.GetNamespace()]
	if kind.GroupKind() == kube.NamespaceKind {
		s.namespaceLabels = p.labels[o.GetName()]
	}
	return s
}

// podsOf returns the pods that a workload will create, as a webhook sees them.
func (p *planner) podsOf(o *unstructured.Unstructured) (subject, bool) {
	template := PodTemplate(o)
	if template == nil || o.GetKind() == "Pod" {
		return subject{}, false
	}
	return subject{
		kind: schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, resource: "pods", namespaced: true,
		labels: TemplateLabels(template), namespaceLabels: p.labels[o.GetNamespace()],
	}, true
}

// addUnlessServing adds a gate, unless the object is needed to open it.
func (p *planner) addUnlessServing(i int, g Gate, add func(Gate)) {
	key := g.Key()
	if _, known := p.exempt[key]; !known {
		p.openers[key] = p.openersOf(key)
		p.exempt[key] = p.needs.reach(p.openers[key]...)
	}
	if !p.exempt[key][i] {
		add(g)
	}
}

// opensGate reports whether a gate cannot open without an object.
func (p *planner) opensGate(i int) bool {
	for _, needed := range p.exempt {
		if needed[i] {
			return true
		}
	}
	return false
}

// openersOf returns the objects of the plan that open a gate of a webhook or an aggregated API: those that serve it, its
// configuration, and the certificate that is injected into it.
func (p *planner) openersOf(g Gate) []int {
	out := p.needs.serving(p.needs.serviceOf(g))
	if at, ok := p.needs.at[g.On]; ok {
		out = append(out, at)
		for key, value := range p.needs.all[at].object.GetAnnotations() {
			if !strings.HasPrefix(key, CertManagerGroup+"/inject-") {
				continue
			}
			out = append(out, p.needs.certificateIssuers...)
			if namespace, name, ok := strings.Cut(value, "/"); ok {
				for _, kind := range []string{"Certificate", "Secret"} {
					if at, ok := p.needs.at[injectedRef(kind, namespace, name)]; ok {
						out = append(out, at)
					}
				}
			}
		}
	}
	return out
}

func injectedRef(kind, namespace, name string) cluster.Ref {
	ref := cluster.Ref{Kind: kind, Namespace: namespace, Name: name}
	if kind == "Certificate" {
		ref.APIVersion = CertManagerGroup + "/"
	}
	return ref
}

// conversion returns the gate of an object whose version is not its kind's storage version.
func (p *planner) conversion(definition cluster.Ref, version string) (Gate, bool) {
	at, ok := p.needs.at[definition]
	if !ok {
		return Gate{}, false
	}
	o := p.all[at].object.Object
	if kube.Text(o, "spec", "conversion", "strategy") != "Webhook" {
		return Gate{}, false
	}
	for _, v := range kube.Items(o, "spec", "versions") {
		if v["name"] == version && v["storage"] == true {
			return Gate{}, false
		}
	}
	client := kube.Map(o, "spec", "conversion", "webhook", "clientConfig")
	if client == nil {
		client = kube.Map(o, "spec", "conversion", "webhookClientConfig")
	}
	gate, ok := gateFor(definition, client)
	if gate.Kind == WebhookGate {
		gate.Kind = ConversionGate
	}
	return gate, ok
}

// aggregated returns the gate of a kind that an aggregated API server serves.
func (p *planner) aggregated(gv schema.GroupVersion) (Gate, bool) {
	name := gv.Version + "." + gv.Group
	ref := cluster.Ref{APIVersion: kube.APIServiceKind.Group + "/", Kind: kube.APIServiceKind.Kind, Name: name}
	if at, ok := p.needs.at[ref]; ok && kube.Map(p.all[at].object.Object, "spec", "service") != nil {
		return Gate{Kind: APIGate, On: ref}, true
	}
	for _, o := range p.live.apis {
		if o.GetName() == name {
			return Gate{Kind: APIGate, On: ref}, true
		}
	}
	return Gate{}, false
}
