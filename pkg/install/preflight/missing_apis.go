package preflight

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// missingAPIs finds kinds that the server does not serve and the plan has no CRD for.
func missingAPIs(ctx context.Context, p *plan.Plan, view cluster.View) ([]*problem.Error, error) {
	gone := map[schema.GroupVersion]map[string]int{}
	for kind, count := range kindsFromServer(p) {
		serves, err := view.Serves(ctx, kind)
		if err != nil {
			return nil, err
		}
		if !serves {
			if gone[kind.GroupVersion()] == nil {
				gone[kind.GroupVersion()] = map[string]int{}
			}
			gone[kind.GroupVersion()][kind.Kind] = count
		}
	}
	if len(gone) == 0 {
		return nil, nil
	}
	info, err := view.Version(ctx)
	if err != nil {
		return nil, err
	}
	if next := missingSystems(gone); next != "" {
		return []*problem.Error{{What: fmt.Sprintf("%s needs APIs that other systems bring, and they are not installed:\n%s", planTitle(p), listMissing(gone)), Next: next}}, nil
	}
	return []*problem.Error{{
		What: fmt.Sprintf("Kubernetes %s does not have the APIs that %s needs:\n%s", strings.TrimPrefix(info.GitVersion, "v"), planTitle(p), listMissing(gone)),
		Next: compatibleReleases(info.GitVersion),
	}}, nil
}

// systems bring APIs that are no part of Kubernetes, by the suffix of their groups.
var systems = []struct{ group, name string }{
	{"istio.io", "Istio"}, {"cert-manager.io", "cert-manager"}, {"knative.dev", "Knative"}, {"kserve.io", "KServe"}, {"argoproj.io", "Argo Workflows"}, {"metacontroller.k8s.io", "Metacontroller"},
}

// missingSystems says what to install first, if every missing API belongs to a known system.
func missingSystems(gone map[schema.GroupVersion]map[string]int) string {
	var needed []string
	for gv := range gone {
		at := slices.IndexFunc(systems, func(s struct{ group, name string }) bool { return strings.HasSuffix("."+gv.Group, "."+s.group) })
		if at < 0 {
			return ""
		}
		needed = append(needed, systems[at].name)
	}
	slices.Sort(needed)
	return fmt.Sprintf("Install %s first, in the version that these manifests were made for, or choose manifests that include it", text.And(slices.Compact(needed)...))
}

func planTitle(p *plan.Plan) string {
	if p.Release != "" {
		return "Kubeflow " + p.Release
	}
	return "this install"
}

// kindsFromServer counts the objects of each kind that the plan has no CRD for, so that the server must serve it already.
func kindsFromServer(p *plan.Plan) map[schema.GroupVersionKind]int {
	defined := map[schema.GroupKind]bool{}
	for _, g := range p.Objects {
		if g.Object.GroupVersionKind().GroupKind() == kube.CustomResourceDefinitionKind {
			defined[kube.DefinedKind(g.Object)] = true
		}
	}
	asked := map[schema.GroupVersionKind]int{}
	for _, g := range p.Objects {
		if kind := g.Object.GroupVersionKind(); !defined[kind.GroupKind()] {
			asked[kind]++
		}
	}
	return asked
}

func listMissing(gone map[schema.GroupVersion]map[string]int) string {
	byVersion := func(a, b schema.GroupVersion) int { return cmp.Compare(a.String(), b.String()) }
	var lines []string
	for _, gv := range slices.SortedFunc(maps.Keys(gone), byVersion) {
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(gone[gv])) {
			kinds = append(kinds, fmt.Sprintf("%d %s", gone[gv][kind], kind))
		}
		lines = append(lines, fmt.Sprintf("  %s (%s)", gv, strings.Join(kinds, ", ")))
	}
	return strings.Join(lines, "\n")
}

// compatibleReleases lists the releases tested on a Kubernetes version, and how to install one.
func compatibleReleases(kubernetes string) string {
	var fitting []string
	for _, r := range release.Fitting(kubernetes) {
		if r.Installable() {
			fitting = append(fitting, r.Version)
		}
	}
	if len(fitting) == 0 {
		return "See the releases and the Kubernetes versions they need with: kubectl kubeflow releases"
	}
	return fmt.Sprintf("Tested on this version: %s. Install one with: kubectl kubeflow install --release %s", strings.Join(fitting, ", "), escape.Word(fitting[len(fitting)-1]))
}
