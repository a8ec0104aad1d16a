package release

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// otherNames maps other common names of components: of the project, folder or Deployment.
var otherNames = map[string]string{
	"admission-webhook": "poddefaults", "centraldashboard": "dashboard", "central-dashboard": "dashboard", "jupyter": "notebooks",
	"jupyter-web-app": "notebooks", "notebook-controller": "notebooks", "kfp": "pipelines", "ml-pipeline": "pipelines",
	"training-operator": "training", "mpi-operator": "training", "kfam": "profiles", "pvcviewer": "volumes",
	"volumes-web-app": "volumes", "oidc-authservice": "authservice", "kubeflow-namespace": "namespaces", "namespace": "namespaces",
	"kubeflow-roles": "kubeflow", "spark-operator": "spark", "certmanager": "cert-manager", "knative-serving": "knative",
}

// A choice is the parts of a release that --component and --skip select, and what to report to the user.
type choice struct {
	parts           []part
	notes, warnings []string
}

// choose keeps the requested components and all that they need, and leaves out the skipped ones. An
// unknown name is an error.
func choose(parts []part, only, skip []string) (choice, error) {
	if err := checkNames(parts, only, skip); err != nil {
		return choice{}, err
	}
	g := graph(parts)
	wanted := g.names
	var out choice
	if len(only) > 0 {
		wanted, out.notes = g.alongWith(only, skip)
	}
	for _, p := range parts {
		if slices.Contains(wanted, p.name) && !slices.Contains(skip, p.name) {
			out.parts = append(out.parts, p)
		}
	}
	if len(out.parts) == 0 {
		return choice{}, &problem.Error{Usage: true, What: "no component is left", Next: "Skip fewer of " + strings.Join(g.names, ", ")}
	}
	for _, name := range skip {
		if who := g.whoNeeds(name, out.parts); len(who) > 0 {
			out.warnings = append(out.warnings, fmt.Sprintf("%s is left out, and %s: it must be on the cluster already",
				name, agree(who, "needs it", "need it")))
		}
	}
	return out, nil
}

func checkNames(parts []part, only, skip []string) error {
	names := graph(parts).names
	for _, name := range append(slices.Clone(only), skip...) {
		if slices.Contains(names, name) {
			continue
		}
		guess := otherNames[name]
		if !slices.Contains(names, guess) {
			guess = text.Nearest(name, names)
		}
		return &problem.Error{Usage: true, What: fmt.Sprintf("there is no component %q", name), Next: text.Capitalized(text.DidYouMean(guess, "choose from "+strings.Join(names, ", ")))}
	}
	for _, name := range only {
		if slices.Contains(skip, name) {
			return &problem.Error{Usage: true, What: name + " is both asked for and left out", Next: "Name it once"}
		}
	}
	return nil
}

// A needsGraph holds which components need which others.
type needsGraph struct {
	names []string // in the release's order
	needs map[string][]string
}

func graph(parts []part) needsGraph {
	g := needsGraph{needs: map[string][]string{}}
	for _, p := range parts {
		g.names = append(g.names, p.name)
		g.needs[p.name] = p.needs
	}
	return g
}

// all returns the components that one needs, directly or indirectly, in the release's order. Skipped
// components are left out, and so is what only they need.
func (g needsGraph) all(name string, skip []string) []string {
	seen := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		for _, need := range g.needs[name] {
			if !seen[need] && !slices.Contains(skip, need) {
				seen[need] = true
				visit(need)
			}
		}
	}
	visit(name)
	return slices.DeleteFunc(slices.Clone(g.names), func(n string) bool { return !seen[n] || n == name })
}

// alongWith returns the requested components and what they need, and a sentence for each that
// requires others.
func (g needsGraph) alongWith(only, skip []string) (wanted, notes []string) {
	for i, name := range only {
		if slices.Contains(only[:i], name) { // requested twice
			continue
		}
		var more []string
		for _, need := range g.all(name, skip) {
			if !slices.Contains(only, need) {
				more = append(more, need)
			}
		}
		if len(more) > 0 {
			notes = append(notes, fmt.Sprintf("%s needs %s: installed with it", name, strings.Join(more, ", ")))
		}
		wanted = append(wanted, append(more, name)...)
	}
	return wanted, notes
}

// whoNeeds returns those parts that directly need a component.
func (g needsGraph) whoNeeds(name string, parts []part) []string {
	var who []string
	for _, p := range parts {
		if slices.Contains(p.needs, name) {
			who = append(who, p.name)
		}
	}
	return who
}

// agree joins names and the verb that suits their number.
func agree(names []string, one, many string) string {
	if len(names) == 1 {
		return names[0] + " " + one
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last] + " " + many
}
