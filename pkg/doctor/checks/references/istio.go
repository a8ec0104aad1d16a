package references

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
)

// followSubsets looks for the subsets of routes in the DestinationRules of their host.
func (k *known) followSubsets(g *gaps) {
	if !k.manifests && !k.read[destinationRuleKind][""] {
		return
	}
	subsets := map[target][]string{}
	for _, rule := range k.of(destinationRuleKind) {
		places(rule, "spec.host", func(p place) {
			t := host(p)
			for _, subset := range kube.Items(rule.Object, "spec", "subsets") {
				subsets[t] = append(subsets[t], kube.Text(subset, "name"))
			}
		})
	}
	for _, o := range k.of(virtualServiceKind) {
		places(o, "spec.{http,tls,tcp}[].route[].destination.subset", func(p place) {
			name, at := valueOf(p), p
			at.value = p.beside["host"]
			t := host(at)
			if name == "" || t.name == "" || slices.Contains(subsets[t], name) {
				return
			}
			near := text.Closest(name, subsets[t])
			if near != "" {
				near = "subset " + near
			}
			if near == "" && k.manifests && len(subsets[t]) == 0 {
				return // the rule may be in other manifests
			}
			g.add(p, gap{what: "subset " + name + " of " + describe(t) + " in a DestinationRule", near: near, effect: noRoute})
		})
	}
}

// followCredentials looks for the Secrets of gateways where their pods read them: in the namespace of the pods.
func (k *known) followCredentials(g *gaps) {
	pods := append(k.pods(), k.podsElsewhere()...)
	for _, o := range k.of(gatewayKind) {
		selector := map[string]string{}
		for key, value := range kube.Map(o.Object, "spec", "selector") {
			selector[key], _ = value.(string)
		}
		namespaces := map[string]bool{}
		if len(selector) > 0 {
			for _, p := range selected(pods, "", labels.SelectorFromSet(selector)) {
				namespaces[p.owner.GetNamespace()] = true
			}
		}
		for _, namespace := range slices.Sorted(maps.Keys(namespaces)) {
			read := func(p place) target { return target{kube.SecretKind, namespace, valueOf(p)} }
			places(o, "spec.servers[].tls.credentialName", func(p place) {
				k.followOne(edge{read: read, effect: "The gateway does not serve HTTPS for these hosts."}, p, g)
			})
		}
	}
}

// admitsNobody reports whether a place is a principal of a policy that allows requests, none of whose principals exists: nothing can call
// what it protects.
func (k *known) admitsNobody(p place) bool {
	if k.manifests || p.object.GroupVersionKind().GroupKind() != authorizationKind {
		return false
	}
	if action := kube.Text(p.object.Object, "spec", "action"); action != "" && action != "ALLOW" {
		return false
	}
	for _, rule := range kube.Items(p.object.Object, "spec", "rules") {
		from := kube.Items(rule, "from")
		if len(from) == 0 {
			return false
		}
		for _, f := range from {
			principals, _ := kube.Map(f, "source")["principals"].([]any)
			if len(principals) == 0 {
				return false
			}
			for _, value := range principals {
				p.value = value
				if t := principal(p); t.name == "" || k.find(t) != nil || !k.complete(t.kind, t.namespace) {
					return false
				}
			}
		}
	}
	return true
}
