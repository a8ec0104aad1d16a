package references

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
)

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

// followTargetPorts looks for the named ports of a Service among those of its pods.
func (k *known) followTargetPorts(service *unstructured.Unstructured, pods []pod, g *gaps) {
	var names []string
	for _, p := range pods {
		names = append(names, p.ports...)
	}
	places(service, "spec.ports[].targetPort", func(p place) {
		name := valueOf(p)
		if name == "" || slices.Contains(names, name) {
			return
		}
		near := text.Closest(name, names)
		if near != "" {
			near = "port " + near
		}
		g.add(p, gap{what: fmt.Sprintf("port %s of the containers of %s", name, kube.KindName(pods[0].owner)), near: near, effect: "The Service sends nothing to its pods on this port."})
	})
}

// followProbes looks for the named ports of probes and hooks among those of their container.
func (k *known) followProbes(g *gaps) {
	for _, t := range templates {
		kind, at := t.kind, t.path
		for _, o := range k.of(kind) {
			places(o, at+".spec.{containers,initContainers}[]", func(c place) {
				container, _ := c.value.(map[string]any)
				var names []string
				for _, port := range kube.Items(container, "ports") {
					names = append(names, kube.Text(port, "name"))
				}
				places(&unstructured.Unstructured{Object: container}, "{livenessProbe,readinessProbe,startupProbe}.{httpGet,tcpSocket}.port", func(p place) {
					if name := valueOf(p); name != "" && !slices.Contains(names, name) {
						p.object, p.path = o, c.path+"."+p.path
						g.add(p, gap{what: fmt.Sprintf("port %s of container %s of %s", name, kube.Text(container, "name"), kube.KindName(o)), near: text.Closest(name, names), effect: "The probe fails, and its pods never become ready."})
					}
				})
			})
		}
	}
}
