package release

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
)

// assign assigns each resource of a release's kustomization to a component: the one that lists it, or else
// the one that its path belongs to. The kustomization is authoritative: a resource that no component of
// the release lists becomes a component of its own, and a listed one that is not in the archive is left
// out with a warning.
func assign(release Release, resources []string) (components []Component, warnings []string) {
	components = slices.Clone(release.Components)
	listed := map[string]int{}
	for i, component := range components {
		for _, from := range component.From {
			listed[from] = i
		}
		components[i].From = nil
	}
	for _, resource := range resources {
		i, ok := listed[resource]
		if !ok {
			name := componentAt(resource)
			if i = indexOf(components, name); i < 0 {
				i = len(components)
				components = append(components, Component{Name: name, Needs: usualNeeds(name)})
			}
		}
		components[i].From = append(components[i].From, resource)
	}
	for resource, i := range listed {
		if !slices.Contains(resources, resource) {
			warnings = append(warnings, fmt.Sprintf("%s of this archive has no %s, which belongs to %s: it is left out",
				release, resource, components[i].Name))
		}
	}
	slices.Sort(warnings)
	missing := func(c Component) bool { return len(c.From) == 0 }
	for _, component := range slices.DeleteFunc(slices.Clone(components), func(c Component) bool { return !missing(c) }) {
		if len(release.Components[indexOf(release.Components, component.Name)].From) == 0 {
			warnings = append(warnings, fmt.Sprintf("%s of this archive has nothing for %s: it is left out", release, component.Name))
		}
	}
	components = slices.DeleteFunc(components, missing)
	for i := range components {
		components[i].Needs = slices.DeleteFunc(slices.Clone(components[i].Needs), func(need string) bool {
			return need == components[i].Name || indexOf(components, need) < 0
		})
	}
	return components, warnings
}

func indexOf(components []Component, name string) int {
	return slices.IndexFunc(components, func(c Component) bool { return c.Name == name })
}

// usualNeeds are what a component needs in the newest release that has it.
func usualNeeds(name string) []string {
	for _, release := range slices.Backward(All()) {
		if i := indexOf(release.Components, name); i >= 0 && release.Kustomization != "" {
			return release.Components[i].Needs
		}
	}
	return []string{"namespaces", "istio", "kubeflow"}
}

// resourcesOf are the resources of a kustomization by their path in the archive, or their address.
func resourcesOf(top map[string]any, folder string) []string {
	var out []string
	for _, key := range []string{"bases", "resources"} {
		for _, item := range kfdef.List(top[key]) {
			text, _ := item.(string)
			if text == "" {
				continue
			}
			if !strings.Contains(text, "://") {
				text = path.Join(folder, text)
			}
			out = append(out, text)
		}
	}
	return out
}
