package release

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/version"
)

//go:embed *.yaml
var files embed.FS

// All returns the known Kubeflow releases, oldest first.
func All() []Release {
	return slices.DeleteFunc(slices.Clone(load()), func(r Release) bool { return r.Hidden })
}

// Find returns the release of a name: "1.2.0", "v1.2.0", "26.03", or "mini". The error lists the known ones.
func Find(version string) (Release, error) {
	for _, r := range load() {
		if r.Version == strings.TrimPrefix(version, "v") {
			return r, nil
		}
	}
	return Release{}, fmt.Errorf("no Kubeflow release %q is known here; %s", version, text.DidYouMean(meant(version), "known are "+names(All())))
}

// Newest returns the newest release that was tested on this Kubernetes minor ("1.35", "v1.35.4") and whose
// archive can be verified: a release that the user did not name must not be installed unverified.
func Newest(kubernetes string) (Release, bool) {
	for _, r := range slices.Backward(Fitting(kubernetes)) {
		if r.Source.Hash != "" {
			return r, true
		}
	}
	return Release{}, false
}

// UpgradeFrom returns the release that an upgrade of an installed one would choose on this Kubernetes version, if it is newer.
func UpgradeFrom(installed, kubernetes string) (Release, bool) {
	newest, found := Newest(kubernetes)
	if _, err := Find(installed); err != nil || !found || !version.Older(installed, newest.Version) {
		return Release{}, false
	}
	return newest, true
}

// Fitting returns the releases that were tested on this Kubernetes minor, oldest first.
func Fitting(kubernetes string) []Release {
	return slices.DeleteFunc(All(), func(r Release) bool { return !r.Supports(kubernetes) })
}

// Fingerprint finds a release by the image tag of Deployment kubeflow/ml-pipeline.
func Fingerprint(mlPipelineTag string) (Release, bool) {
	for _, r := range All() {
		if r.Pipelines == mlPipelineTag {
			return r, true
		}
	}
	return Release{}, false
}

// load reads the embedded files once. An invalid one is a programming error, which the tests over the
// list find.
var load = sync.OnceValue(func() []Release {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err)
	}
	var all []Release
	for _, entry := range entries {
		data, err := files.ReadFile(entry.Name())
		if err != nil {
			panic(err)
		}
		var r Release
		if err := yaml.UnmarshalStrict(data, &r); err != nil {
			panic(fmt.Errorf("pkg/release/%s: %w", entry.Name(), err))
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Release) int { return version.Compare(a.Version, b.Version) })
	var leftOvers []LeftOver // left-overs of a release also affect later ones
	for i := range all {
		leftOvers = append(leftOvers, all[i].LeftOvers...)
		all[i].LeftOvers = slices.Clone(leftOvers)
	}
	return all
})

func names(releases []Release) string {
	var out []string
	for _, r := range releases {
		if r.Installable() {
			out = append(out, r.Version)
		}
	}
	return strings.Join(out, ", ")
}
