package references

import (
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// inCluster is the address of a Service in a text: of one of Kubeflow's namespaces, with .svc or a port behind it.
var inCluster = regexp.MustCompile(`(?:^|[^-.\w])([a-z][-a-z0-9]*)\.(` + strings.Join(workloads.Namespaces, "|") + `)(?:\.svc(?:\.cluster\.local)?\b|:\d+)`)

// followAddresses looks for the Services whose addresses are in configuration: in ConfigMaps, and in the variables and arguments of
// containers. A text may be about something else, so only those are reported whose names are a slip away from a Service that exists.
func (k *known) followAddresses(g *gaps) {
	for _, o := range k.of(kube.ConfigMapKind) {
		if !workloads.IsSystem(o.GetNamespace()) {
			continue
		}
		places(o, "data.{}", func(p place) { k.followAddress(p, g) })
	}
	for _, t := range templates {
		for _, o := range k.of(t.kind) {
			for _, field := range []string{"env[].value", "args[]", "command[]"} {
				places(o, t.path+".spec.{containers,initContainers}[]."+field, func(p place) { k.followAddress(p, g) })
			}
		}
	}
}

func (k *known) followAddress(p place, g *gaps) {
	var said []target
	for _, m := range inCluster.FindAllStringSubmatch(valueOf(p), -1) {
		t := target{kube.ServiceKind, m[2], m[1]}
		if slices.Contains(said, t) {
			continue
		}
		said = append(said, t)
		if k.find(t) == nil && k.complete(t.kind, t.namespace) {
			if near := k.nearest(t); near != "" {
				g.add(p, gap{what: describe(t), near: near, soft: true, effect: "What connects to this address fails.", needs: one(t.ref())})
			}
		}
	}
}
