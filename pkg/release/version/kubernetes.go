package version

import (
	"fmt"

	kubeversion "k8s.io/apimachinery/pkg/util/version"
)

// A KubernetesRange is the range of Kubernetes minors that a release was tested on, and the last possible one.
type KubernetesRange struct {
	// Min and Max bound the tested versions ("1.16"). An empty Max means no upper bound so far; an empty Min
	// means that the lower bound is unknown.
	Min string `json:"min,omitempty"`
	Max string `json:"max,omitempty"`
	// Ceiling is the last minor that still serves every API the release uses; empty if there is no limit yet.
	Ceiling string `json:"ceiling,omitempty"`
}

// Tested reports whether a Kubernetes version ("1.35", "v1.35.4-aks") lies in the tested range.
func (k KubernetesRange) Tested(version string) bool {
	minor, err := Minor(version)
	if err != nil {
		return false
	}
	return minor >= k.bound(k.Min, 0) && minor <= k.bound(k.Max, 1<<30)
}

// Possible reports whether a Kubernetes version still serves every API the release uses.
func (k KubernetesRange) Possible(version string) bool {
	minor, err := Minor(version)
	return err == nil && minor <= k.bound(k.Ceiling, 1<<30)
}

// Fit returns in a word or two whether a Kubernetes version is compatible: "suits", "too old", "untested" when it is
// newer than what was tested, or "too new" when it no longer serves an API the release uses.
func (k KubernetesRange) Fit(version string) string {
	minor, err := Minor(version)
	switch {
	case err != nil:
		return "unknown"
	case minor > k.bound(k.Ceiling, 1<<30):
		return "too new"
	case minor < k.bound(k.Min, 0):
		return "too old"
	case minor > k.bound(k.Max, 1<<30):
		return "untested"
	}
	return "suits"
}

// String returns the tested range in words: "1.16 to 1.21", "1.34 or newer".
func (k KubernetesRange) String() string {
	switch {
	case k.Min == "" && k.Max == "":
		return "unknown"
	case k.Min == "":
		return "up to " + k.Max
	case k.Max == "":
		return k.Min + " or newer"
	case k.Min == k.Max:
		return k.Min
	default:
		return k.Min + " to " + k.Max
	}
}

func (k KubernetesRange) bound(minor string, otherwise int) int {
	if n, err := Minor(minor); err == nil {
		return n
	}
	return otherwise
}

// Minor parses the minor version of "1.35", "v1.35.4" or "1.21+".
func Minor(text string) (int, error) {
	v, err := kubeversion.ParseGeneric(text)
	if err != nil || v.Major() != 1 {
		return 0, fmt.Errorf("%q is not a Kubernetes version such as 1.35", text)
	}
	return int(v.Minor()), nil
}
