package azure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	kubeversion "k8s.io/apimachinery/pkg/util/version"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// An Offer is a Kubernetes minor that AKS offers in a region.
type Offer struct {
	Minor   string // "1.35"
	Patches []string
	Default bool // AKS takes it if nothing is named
	Preview bool
	LTS     bool // only with long-term support, which is paid for
}

// UsualMinor is taken where Azure is not asked: the minor that the releases are tested with.
const UsualMinor = "1.35"

// UsualVersion returns a Kubernetes version for a release without asking Azure what it offers.
func UsualVersion(r release.Release) string {
	if r.Supports(UsualMinor) {
		return UsualMinor
	}
	return cmp.Or(r.Kubernetes.Max, r.Kubernetes.Min, UsualMinor)
}

// ChooseVersion chooses the Kubernetes version: the one that the user names if AKS offers it, else the default of AKS if the
// release is compatible with it, else the newest that the release is compatible with.
func ChooseVersion(offers []Offer, r release.Release, wanted, location string) (string, error) {
	usable := slices.DeleteFunc(slices.Clone(offers), func(o Offer) bool { return o.Preview || o.LTS })
	slices.SortFunc(usable, func(a, b Offer) int { return byVersion(b.Minor, a.Minor) })
	if wanted != "" {
		return named(offers, r, wanted, location)
	}
	for _, o := range usable {
		if o.Default && r.Supports(o.Minor) {
			return o.Minor, nil
		}
	}
	for _, o := range usable {
		if r.Supports(o.Minor) {
			return o.Minor, nil
		}
	}
	next := "Choose a newer release with -r; to see them: kubectl kubeflow releases"
	return "", &problem.Error{What: fmt.Sprintf("%s is compatible with Kubernetes %s, and AKS offers %s in %s (K8sVersionNotSupported)", r, r.Kubernetes, minors(usable), location), Next: next}
}

// named returns a version that the user named.
func named(offers []Offer, r release.Release, wanted, location string) (string, error) {
	if !r.Kubernetes.Possible(wanted) {
		return "", &problem.Error{Usage: true, What: fmt.Sprintf("%s needs APIs that Kubernetes %s does not serve", r, wanted), Next: "It is compatible with Kubernetes " + r.Kubernetes.String()}
	}
	for _, o := range offers {
		if o.Minor == wanted || slices.Contains(o.Patches, wanted) {
			if o.LTS {
				return "", &problem.Error{What: fmt.Sprintf("Kubernetes %s is offered with long-term support only (K8sVersionNotSupported)", wanted), Next: "Choose one of " + minors(offers) + " with --kubernetes-version"}
			}
			return wanted, nil
		}
	}
	return "", &problem.Error{What: fmt.Sprintf("Kubernetes %s is not offered in %s (K8sVersionNotSupported)", wanted, location),
		Next: escape.Commandf("Choose one of "+minors(offers)+", or see the patch versions with: az aks get-versions --location %s -o table", location)}
}

func minors(offers []Offer) string {
	var names []string
	for _, o := range offers {
		if !o.LTS && !o.Preview {
			names = append(names, o.Minor)
		}
	}
	slices.SortFunc(names, byVersion)
	if len(names) == 0 {
		return "none"
	}
	return text.And(names...)
}

func byVersion(a, b string) int {
	x, errX := kubeversion.ParseGeneric(a)
	y, errY := kubeversion.ParseGeneric(b)
	switch {
	case errX != nil || errY != nil:
		return strings.Compare(a, b)
	case x.LessThan(y):
		return -1
	case y.LessThan(x):
		return 1
	}
	return 0
}
