package release

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// some is a small release: an app needs a mesh, which needs the namespaces; a side component needs nothing.
var some = []part{
	{name: "namespaces"}, {name: "istio", needs: []string{"namespaces"}}, {name: "certs"},
	{name: "pipelines", needs: []string{"istio", "certs"}}, {name: "katib", needs: []string{"istio"}}, {name: "side"},
}

func chosen(t *testing.T, only, skip []string) (names, notes, warnings string) {
	t.Helper()
	c, err := choose(some, only, skip)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(graph(c.parts).names, " "), strings.Join(c.notes, "\n"), strings.Join(c.warnings, "\n")
}

func TestTheNeedsOfAComponentAreIncludedAndReported(t *testing.T) {
	names, notes, warnings := chosen(t, []string{"pipelines"}, nil)
	if names != "namespaces istio certs pipelines" || warnings != "" {
		t.Errorf("chosen are %s, warnings %q", names, warnings)
	}
	if notes != "pipelines needs namespaces, istio, certs: installed with it" {
		t.Errorf("notes are %q", notes)
	}
}

func TestRequestedComponentsAreNotReportedAsNeeds(t *testing.T) {
	names, notes, _ := chosen(t, []string{"katib", "namespaces", "istio", "katib"}, nil)
	if names != "namespaces istio katib" || notes != "" {
		t.Errorf("chosen are %s, notes %q", names, notes)
	}
	if names, notes, _ = chosen(t, []string{"side"}, nil); names != "side" || notes != "" {
		t.Errorf("chosen are %s, notes %q", names, notes)
	}
}

func TestSkippedNeedsAreLeftOutWithAWarning(t *testing.T) {
	names, _, warnings := chosen(t, []string{"pipelines"}, []string{"istio"})
	if names != "certs pipelines" || warnings != "istio is left out, and pipelines needs it: it must be on the cluster already" {
		t.Errorf("chosen are %s, warnings %q", names, warnings)
	}
	names, _, warnings = chosen(t, nil, []string{"istio", "side"})
	if names != "namespaces certs pipelines katib" || warnings != "istio is left out, and pipelines and katib need it: it must be on the cluster already" {
		t.Errorf("chosen are %s, warnings %q", names, warnings)
	}
}

func TestWithoutFlagsEverythingIsChosen(t *testing.T) {
	if names, notes, warnings := chosen(t, nil, nil); names != strings.Join(graph(some).names, " ") || notes+warnings != "" {
		t.Errorf("chosen are %s, said %q %q", names, notes, warnings)
	}
}

func TestAnUnknownComponentSuggestsTheNearest(t *testing.T) {
	for asked, want := range map[string]string{
		"pipeline": "Did you mean pipelines?", "kfp": "Did you mean pipelines?", "istoi": "Did you mean istio?",
		"Katib": "Did you mean katib?", "bananas": "Choose from namespaces, istio", "": "Choose from namespaces, istio",
	} {
		_, err := choose(some, nil, []string{asked})
		var input *problem.Error
		if !errors.As(err, &input) || !strings.HasPrefix(input.Next, want) {
			t.Errorf("%q gets %v, want %q", asked, err, want)
		}
	}
}

func TestAChoiceOfNoComponentIsRejected(t *testing.T) {
	for _, c := range []struct{ only, skip []string }{
		{nil, graph(some).names}, {[]string{"side"}, []string{"side"}},
	} {
		if _, err := choose(some, c.only, c.skip); err == nil {
			t.Errorf("--component %v --skip %v is accepted", c.only, c.skip)
		}
	}
}

func TestNeedsAreComponentsOfTheReleaseWithoutCycles(t *testing.T) {
	for _, r := range load() {
		var parts []part
		for _, component := range r.Components {
			parts = append(parts, part{name: component.Name, needs: component.Needs})
		}
		g := graph(parts)
		for i, p := range parts {
			if slices.Index(g.names, p.name) != i {
				t.Errorf("%s has the component %s twice", r, p.name)
			}
			for _, need := range p.needs {
				if !slices.Contains(g.names, need) {
					t.Errorf("%s: %s needs %s, which is none of its components", r, p.name, need)
				}
				if need == p.name || slices.Contains(g.all(need, nil), p.name) {
					t.Errorf("%s: %s and %s need each other", r, p.name, need)
				}
			}
		}
	}
}
