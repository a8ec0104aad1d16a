package references

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// A selection is a field that selects pods by their labels.
type selection struct {
	from     schema.GroupKind
	field    string
	anywhere bool // pods of every namespace
	effect   string
}

var selections = []selection{
	{from: kube.ServiceKind, field: "spec.selector", effect: "The Service has no endpoints."},
	{from: disruptionBudgetKind, field: "spec.selector", effect: "It protects no pod."},
	{from: kube.NetworkPolicyKind, field: "spec.podSelector", effect: "It applies to no pod."},
	{from: gatewayKind, field: "spec.selector", anywhere: true, effect: noRoute},
	{from: authorizationKind, field: "spec.selector", effect: "The policy applies to no pod."},
	{from: authenticationKind, field: "spec.selector", effect: "No token is checked."},
	{from: peerKind, field: "spec.selector", effect: "The policy applies to no pod."},
	{from: envoyFilterKind, field: "spec.workloadSelector", effect: "The filter applies to no pod."},
	{from: envoyFilterKind, field: "spec.workloadLabels", effect: "The filter applies to no pod."},
	{from: sidecarKind, field: "spec.workloadSelector", effect: "It applies to no pod."},
}

// A pod is the template of pods, or one without an owner.
type pod struct {
	owner  *unstructured.Unstructured
	labels labels.Set
	ports  []string // the names of the ports of its containers
}

// pods returns the pods that the workloads make.
func (k *known) pods() []pod {
	var all []pod
	for _, t := range templates {
		kind, at := t.kind, t.path
		for _, o := range k.of(kind) {
			path := strings.Split(at, ".")
			p := pod{owner: o, labels: map[string]string{}}
			for key, value := range kube.Map(o.Object, append(slices.Clone(path), "metadata", "labels")...) {
				p.labels[key] = fmt.Sprint(value)
			}
			for _, list := range []string{"containers", "initContainers"} {
				for _, c := range kube.Items(o.Object, append(slices.Clone(path), "spec", list)...) {
					for _, port := range kube.Items(c, "ports") {
						p.ports = append(p.ports, kube.Text(port, "name"))
					}
				}
			}
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b pod) int { return strings.Compare(kube.KindName(a.owner), kube.KindName(b.owner)) })
	return all
}

// selected returns the pods that a selector selects, and its labels as a map.
func selected(pods []pod, namespace string, selector labels.Selector) []pod {
	return slices.DeleteFunc(slices.Clone(pods), func(p pod) bool {
		return namespace != "" && p.owner.GetNamespace() != namespace || !selector.Matches(p.labels)
	})
}

// followSelectors looks for selectors that select none of the pods, though some have almost their labels, and for named ports that the
// selected pods do not have.
func (k *known) followSelectors(g *gaps) {
	pods := k.pods()
	everywhere := append(slices.Clone(pods), k.podsElsewhere()...)
	inNamespace := map[string][]pod{"": pods}
	for _, p := range pods {
		inNamespace[p.owner.GetNamespace()] = append(inNamespace[p.owner.GetNamespace()], p)
	}
	for _, s := range allSelections() {
		for _, o := range k.of(s.from) {
			namespace := o.GetNamespace()
			if s.anywhere || s.from == authorizationKind && namespace == dashboard.KubeflowNamespace {
				namespace = ""
			}
			among := inNamespace[namespace]
			if s.anywhere {
				among = everywhere
			}
			places(o, s.field, func(p place) { k.followSelector(s, p, among, namespace, g) })
		}
	}
}

// allSelections returns every selection, with the affinities of pods for each kind that has pods.
func allSelections() []selection {
	list := slices.Clone(selections)
	for _, t := range templates {
		kind, template := t.kind, t.path
		for _, field := range []string{"preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm.labelSelector", "requiredDuringSchedulingIgnoredDuringExecution[].labelSelector"} {
			list = append(list, selection{from: kind, field: template + ".spec.affinity.{podAffinity,podAntiAffinity}." + field, effect: "Its pods are not spread as they should be."})
		}
	}
	return list
}

func (k *known) followSelector(s selection, at place, pods []pod, namespace string, g *gaps) {
	o := at.object
	content, _ := at.value.(map[string]any)
	selector, wanted, ok := selectorOf(content)
	if !ok || selector.Empty() {
		return
	}
	found := selected(pods, namespace, selector)
	if s.from == kube.ServiceKind && len(found) > 0 {
		k.followTargetPorts(o, found, g)
	}
	if len(found) > 0 || !k.allPods(s, namespace) {
		return
	}
	near := nearly(pods, wanted, o.GetName())
	if near == nil && s.anywhere && !k.manifests {
		g.add(at, gap{what: "pod with labels " + labels.Set(wanted).String(), elsewhere: !k.routed(o), soft: true, effect: s.effect})
	}
	if near == nil || shipped(at) || !k.manifests && !slip(near, wanted, o.GetName()) {
		return // pods that something else makes: Knative's, notebooks, jobs
	}
	var differ []string
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		if have, there := near.labels[key]; have != wanted[key] {
			if differ = append(differ, fmt.Sprintf("%s=%s", key, have)); !there {
				differ[len(differ)-1] = "no label " + key
			}
		}
	}
	g.add(at, gap{
		what: "pod with labels " + labels.Set(wanted).String() + inWords(namespace), effect: s.effect,
		near: fmt.Sprintf("%s, whose pods have %s", kube.KindName(near.owner), strings.Join(differ, ", ")),
	})
}

// allPods reports whether what makes the pods that a selector may select is known. On a cluster, pods without a workload are not.
func (k *known) allPods(s selection, namespace string) bool {
	switch {
	case k.manifests:
		return true
	case s.anywhere, namespace == "":
		return k.read[kube.DeploymentKind][""]
	}
	return k.read[kube.DeploymentKind][namespace] && k.read[kube.StatefulSetKind][namespace]
}

// routed reports whether a VirtualService names a gateway.
func (k *known) routed(o *unstructured.Unstructured) bool {
	for _, service := range k.of(virtualServiceKind) {
		found := false
		places(service, "spec.gateways[]", func(p place) {
			t := gateway(p)
			found = found || t.namespace == o.GetNamespace() && t.name == o.GetName()
		})
		if found {
			return true
		}
	}
	return false
}

// slip reports whether pods were meant: each label is theirs or a slip away from it, or they have the name of what selects.
func slip(p *pod, wanted map[string]string, name string) bool {
	for key, value := range wanted {
		have, there := p.labels[key]
		if have != value && (!there || text.Closest(value, []string{have}) == "" && text.Within(value, []string{have}) == "") {
			return p.owner.GetName() == name
		}
	}
	return true
}

// podsElsewhere returns the pods that Deployments in other namespaces make, and those that are there without a workload.
func (k *known) podsElsewhere() []pod {
	var all []pod
	for _, o := range k.elsewhere {
		p := pod{owner: o, labels: map[string]string{}}
		for key, value := range kube.Map(o.Object, "spec", "template", "metadata", "labels") {
			p.labels[key] = fmt.Sprint(value)
		}
		all = append(all, p)
	}
	for _, o := range k.of(kube.PodKind) {
		all = append(all, pod{owner: o, labels: o.GetLabels()})
	}
	return all
}

func inWords(namespace string) string {
	if namespace == "" {
		return ""
	}
	return " in namespace " + namespace
}

// selectorOf reads a selector in any of the forms: labels, matchLabels and matchExpressions, or labels and matchLabels of Istio.
func selectorOf(content map[string]any) (labels.Selector, map[string]string, bool) {
	plain := map[string]string{}
	for key, value := range content {
		content, ok := value.(string)
		if !ok {
			plain = nil
			break
		}
		plain[key] = content
	}
	if plain != nil {
		return labels.SelectorFromSet(plain), plain, len(plain) > 0
	}
	var selector metav1.LabelSelector
	if below := kube.Map(content, "labels"); len(below) > 0 {
		content = map[string]any{"matchLabels": below}
	}
	if runtime.DefaultUnstructuredConverter.FromUnstructured(content, &selector) != nil {
		return nil, nil, false
	}
	matches, err := metav1.LabelSelectorAsSelector(&selector)
	return matches, selector.MatchLabels, err == nil && len(selector.MatchLabels) > 0
}

// nearly returns the pods that have most of some labels, or at least a label with a similar value, or the name of what selects.
func nearly(pods []pod, wanted map[string]string, name string) *pod {
	var best *pod
	most := 0
	for i, p := range pods {
		score := 0
		for key, value := range wanted {
			switch have := p.labels[key]; {
			case have == value:
				score += 4
			case have != "" && text.Closest(value, []string{have}) != "":
				score += 3
			}
		}
		if score > 0 && p.owner.GetName() == name {
			score++
		}
		if p.owner.GetName() == name && score == 0 {
			score = 1
		}
		if score > most {
			most, best = score, &pods[i]
		}
	}
	return best
}
