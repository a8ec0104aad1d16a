package mesh

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/webhooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// The TLS modes that matter here.
const (
	modeMutual  = "ISTIO_MUTUAL"
	modeDisable = "DISABLE"
)

// A policy is one place of a DestinationRule that sets a TLS mode: for all servers, for a port, or for a subset of them.
type policy struct {
	field  string // "spec.trafficPolicy.tls.mode"
	mode   string
	labels map[string]string // of the subset; nil for all servers
}

func policiesOf(rule *unstructured.Unstructured) []policy {
	var list []policy
	add := func(in map[string]any, field string, subset map[string]string) {
		if mode := kube.Text(in, "tls", "mode"); mode != "" {
			list = append(list, policy{field: field + ".tls.mode", mode: mode, labels: subset})
		}
		for i, port := range kube.Items(in, "portLevelSettings") {
			if mode := kube.Text(port, "tls", "mode"); mode != "" {
				list = append(list, policy{field: fmt.Sprintf("%s.portLevelSettings[%d].tls.mode", field, i), mode: mode, labels: subset})
			}
		}
	}
	whole, _, _ := unstructured.NestedMap(rule.Object, "spec", "trafficPolicy")
	add(whole, "spec.trafficPolicy", nil)
	for i, subset := range kube.Items(rule.Object, "spec", "subsets") {
		chosen, _, _ := unstructured.NestedStringMap(subset, "labels")
		own, _, _ := unstructured.NestedMap(subset, "trafficPolicy")
		add(own, fmt.Sprintf("spec.subsets[%d].trafficPolicy", i), chosen)
	}
	return list
}

// command returns the kubectl command that sets the mode.
func (p policy) command(rule *unstructured.Unstructured, mode string) string {
	if p.field != "spec.trafficPolicy.tls.mode" {
		return fmt.Sprintf("kubectl edit destinationrule -n %s %s", escape.Word(rule.GetNamespace()), escape.Word(rule.GetName()))
	}
	return escape.Commandf("kubectl patch destinationrule -n %s %s --type merge -p %s",
		rule.GetNamespace(), rule.GetName(), fmt.Sprintf(`{"spec":{"trafficPolicy":{"tls":{"mode":%q}}}}`, mode))
}

// destinationRuleWrites are what the fixes of DestinationRules do.
var destinationRuleWrites = []doctor.Write{
	{Kind: kube.NamespaceKind, Names: []string{workloads.Namespace}, Fields: []string{"/metadata/labels/istio-injection"}, Edit: requestSidecars},
	{Kind: destinationRuleKind, Fields: modeFields, Edit: modeSetter(modeDisable, modeMutual)},
	{Kind: destinationRuleKind, Fields: modeFields, Edit: modeSetter(modeMutual, modeDisable)},
}

var modeFields = []string{
	"/spec/trafficPolicy/tls/mode", "/spec/trafficPolicy/portLevelSettings/*/tls/mode",
	"/spec/subsets/*/trafficPolicy/tls/mode", "/spec/subsets/*/trafficPolicy/portLevelSettings/*/tls/mode",
}

// setMode returns the change that replaces a TLS mode everywhere in a rule.
func setMode(rule *unstructured.Unstructured, from, to string) cluster.Change {
	return cluster.Edit(rule, modeSetter(from, to))
}

func modeSetter(from, to string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		set := func(in map[string]any) {
			for _, m := range append(kube.Items(in, "portLevelSettings"), in) {
				if kube.Text(m, "tls", "mode") == from {
					_ = unstructured.SetNestedField(m, to, "tls", "mode")
				}
			}
		}
		if whole, found, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "trafficPolicy"); found {
			if m, ok := whole.(map[string]any); ok {
				set(m)
			}
		}
		for _, subset := range kube.Items(o.Object, "spec", "subsets") {
			if m, ok := subset["trafficPolicy"].(map[string]any); ok {
				set(m)
			}
		}
	}
}

// hostServices returns the namespace and a filter for the services that a rule applies to; "" for a host outside the cluster or across namespaces.
func hostServices(rule *unstructured.Unstructured) (namespace string, wanted func(service string) bool) {
	name, rest, qualified := strings.Cut(kube.Text(rule.Object, "spec", "host"), ".")
	namespace = rule.GetNamespace()
	if qualified {
		var suffix string
		namespace, suffix, _ = strings.Cut(rest, ".")
		if suffix != "" && suffix != "svc" && !strings.HasPrefix(suffix, "svc.") {
			return "", nil
		}
	}
	if namespace == "" || namespace == "svc" || namespace == "local" || name == "*" && !qualified {
		return "", nil
	}
	return namespace, func(service string) bool { return name == "*" || service == name }
}

// servers are the ready pods behind a rule, and how they are reached.
type servers struct {
	pods     []*unstructured.Unstructured
	services map[string][]string // service → pod names
}

func serversOf(ctx context.Context, e doctor.Exam, namespace string, wanted func(string) bool) (servers, error) {
	endpoints, err := workloads.SlicesIn(ctx, e, namespace)
	if err != nil {
		return servers{}, err
	}
	s := servers{services: webhooks.ReadyPods(endpoints, wanted)}
	if len(s.services) == 0 {
		return s, nil
	}
	pods, err := workloads.PodsIn(ctx, e, namespace)
	if err != nil {
		return s, err
	}
	for _, pod := range pods {
		for _, names := range s.services {
			if workloads.IsActive(pod) && slices.Contains(names, pod.GetName()) {
				s.pods = append(s.pods, pod)
				break
			}
		}
	}
	return s, nil
}

// inSubset returns the servers of a subset. A wildcard rule does not apply to pods that opt out of the mesh.
func (s servers) inSubset(subset map[string]string, wildcard bool) []*unstructured.Unstructured {
	chosen := labels.SelectorFromSet(subset)
	return slices.DeleteFunc(slices.Clone(s.pods), func(pod *unstructured.Unstructured) bool {
		return !chosen.Matches(labels.Set(pod.GetLabels())) || wildcard && optsOut(pod)
	})
}
