package references

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var Names = &doctor.Check{
	ID:    "references/names",
	Title: "Everything that objects refer to exists",
	Why: "Kubernetes accepts an object that names another one which does not exist: a Secret, a ServiceAccount, the Service of a webhook, a " +
		"gateway, the key of a ConfigMap, a named port or the labels of pods. What depends on it then waits or fails, mostly without an error " +
		"where one would look.",
	FixNote:  "No automatic fix: either the name or what it names may be what is wrong. The finding names the nearest existing one.",
	Sources:  []string{"https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/#restrictions", "kubeflow/manifests#2689"},
	Reads:    listedKinds(),
	Rendered: Kinds(),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		k, err := read(ctx, e)
		if err != nil {
			return nil, err
		}
		g := &gaps{}
		k.follow(g)
		k.followSelectors(g)
		k.followProbes(g)
		k.followProviders(g)
		k.followSubsets(g)
		k.followCredentials(g)
		k.followAddresses(g)
		k.followConfigurations(g)
		k.followKinds(g)
		if err := g.dropLeftOvers(ctx, e); err != nil {
			return nil, err
		}
		return k.findings(g), nil
	},
}

// Kinds returns every kind that the tables name.
func Kinds() []schema.GroupKind {
	kinds := []schema.GroupKind{kube.NamespaceKind, roleKind, clusterRoleKind, issuerKind, clusterIssuerKind, serviceEntryKind, gatewayKind, kube.ServiceKind, trainRuntimeKind, certificateKind}
	add := func(kind schema.GroupKind) {
		if kind.Kind != "" && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	for _, e := range allEdges() {
		add(e.to)
		for _, kind := range e.from {
			add(kind)
		}
	}
	for _, s := range allSelections() {
		add(s.from)
	}
	for _, l := range listings {
		add(l.kind)
	}
	slices.SortFunc(kinds, func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) })
	return kinds
}

// followProviders looks for the extension providers that policies hand requests to, in the configuration of every revision of Istio.
func (k *known) followProviders(g *gaps) {
	var names []string
	known := false
	for _, o := range k.of(kube.ConfigMapKind) {
		if name := o.GetName(); name != "istio" && !strings.HasPrefix(name, "istio-") { // of a revision, of users, and those of the AKS add-on
			continue
		}
		var config map[string]any
		content, isMesh := kube.Map(o.Object, "data")["mesh"].(string)
		if !isMesh || bounded.Unmarshal(content, &config) != nil {
			continue
		}
		known = true
		for _, p := range kube.Items(config, "extensionProviders") {
			names = append(names, kube.Text(p, "name"))
		}
	}
	if !known {
		return
	}
	for _, o := range k.of(authorizationKind) {
		places(o, "spec.provider.name", func(p place) {
			if name := valueOf(p); name != "" && !slices.Contains(names, name) {
				g.add(p, gap{what: "extension provider " + name + " of Istio", near: text.Closest(name, names), effect: "Istio rejects every request that the policy applies to."})
			}
		})
	}
}

// findings returns one finding for each name that is missing, however many fields name it.
func (k *known) findings(g *gaps) []doctor.Finding {
	var findings []doctor.Finding
	for _, missing := range g.order {
		users := slices.DeleteFunc(missing.users, func(p place) bool { return !k.ours(p.object.GetNamespace()) })
		if len(users) == 0 {
			continue
		}
		first := users[0]
		f := doctor.Finding{
			Severity:    k.severity(missing, users),
			About:       doctor.Subject{Ref: cluster.RefOf(first.object), Field: first.path},
			Message:     fmt.Sprintf("%s does not exist, but %s", text.Capitalized(missing.what), text.Names(users, text.Most, func(p place) string { return kube.KindName(p.object) + " refers to it in " + p.path })),
			Consequence: missing.effect,
			Advice:      "Create it, or correct the name.",
		}
		if missing.near != "" {
			f.Advice = fmt.Sprintf("Create it, or correct the name: the nearest that exists is %s.", missing.near)
		}
		if !k.manifests {
			f.Command = show(first.object)
			f.Needs = append(missing.needs, cluster.RefOf(first.object))
			for _, p := range users[1:] {
				f.Affects = appendRef(f.Affects, first, p)
			}
		}
		findings = append(findings, f)
	}
	return findings
}

// severity tells how bad a gap is. On a cluster, what users own is theirs to repair, and may name what they have yet to make; that, and what
// may be served from elsewhere, is only worth knowing unless its name is a slip away from what is there.
func (k *known) severity(g *gap, users []place) doctor.Severity {
	ofUsers := !k.manifests && !slices.ContainsFunc(users, func(p place) bool { return !k.profiles[p.object.GetNamespace()] })
	switch {
	case !k.manifests && g.near == "" && (g.elsewhere || ofUsers):
		return doctor.Info
	case g.soft, ofUsers:
		return doctor.Warning
	}
	return doctor.Error
}

// appendRef adds the object of a place to those that a finding affects, once, if it is not the one that the finding is about.
func appendRef(list []cluster.Ref, first, p place) []cluster.Ref {
	ref := cluster.RefOf(p.object)
	if ref == cluster.RefOf(first.object) || slices.Contains(list, ref) {
		return list
	}
	return append(list, ref)
}

func resource(o *unstructured.Unstructured) string {
	kind := strings.ToLower(o.GetKind())
	if group := o.GroupVersionKind().Group; group != "" {
		return kind + "." + group
	}
	return kind
}

func show(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return escape.Commandf("kubectl get %s %s -o yaml", resource(o), o.GetName())
	}
	return escape.Commandf("kubectl get %s -n %s %s -o yaml", resource(o), o.GetNamespace(), o.GetName())
}
