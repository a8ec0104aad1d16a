package release

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/version"
)

// repositories are those of Kubeflow's manifests, by their current and their former name.
var repositories = []string{"https://github.com/kubeflow/community-distribution", "https://github.com/kubeflow/manifests"}

// versionLike matches tags: v1.8.0, 1.10.0-rc.1, 26.09.
var versionLike = regexp.MustCompile(`^v?\d+\.\d+(\.\d+)*([-.+]?[0-9A-Za-z]+)*$`)

// lookUp returns a release by its name, or by a tag that this program does not know.
func (r *rendering) lookUp(ctx context.Context, name string) (Release, error) {
	release, err := Find(name)
	if err == nil {
		return release, nil
	}
	if !versionLike.MatchString(name) || sameVersion(name) != "" {
		return Release{}, noSuch(name, nil)
	}
	var missing *archive.NotFoundError
	for _, tag := range tagsOf(name) {
		for _, repository := range repositories {
			address := repository + "/archive/refs/tags/" + tag + ".tar.gz"
			_, err := r.fetch(ctx, address)
			if errors.As(err, &missing) && len(missing.Tried) > 0 {
				continue
			}
			if err != nil {
				return Release{}, err
			}
			return r.tagged(tag, address), nil
		}
	}
	return Release{}, noSuch(name, missing)
}

// tagged returns a release of which only the tag is known: from 1.3 on all have the same layout.
func (r *rendering) tagged(tag, address string) Release {
	release := Release{Version: strings.TrimPrefix(tag, "v"), Source: Source{URL: address}, Kustomization: "example"}
	r.warn(fmt.Sprintf("%s is not a known release: its components are named after their folders, and it is not known which Kubernetes versions it supports", release))
	return release
}

// tagsOf returns the tags that a name can mean: up to 1.11 they begin with a v.
func tagsOf(name string) []string {
	plain := strings.TrimPrefix(name, "v")
	if strings.HasPrefix(name, "v") || strings.HasPrefix(name, "1.") || strings.HasPrefix(name, "0.") {
		return []string{"v" + plain, plain}
	}
	return []string{plain, "v" + plain}
}

// noSuch returns the error for an unknown name, with the alternatives.
func noSuch(name string, err error) error {
	return &problem.Error{Usage: true, What: fmt.Sprintf("there is no Kubeflow release %q", name), Err: err,
		Next: text.Capitalized(text.DidYouMean(meant(name), "choose one of "+names(All())+", or a tag of "+strings.TrimPrefix(repositories[0], "https://")))}
}

// meant returns the known release with the most similar name, if one is similar.
func meant(name string) string {
	if same := sameVersion(name); same != "" {
		return same
	}
	name = strings.TrimPrefix(name, "v")
	year, rest, _ := strings.Cut(name, ".") // 2.0 is not a typo of 1.2.0
	minor, _, _ := strings.Cut(rest, ".")
	for _, known := range slices.Backward(versions()) {
		if strings.HasPrefix(known+".", year+"."+minor+".") { // another patch release is nearer than any typo
			return known
		}
	}
	return text.Nearest(name, slices.DeleteFunc(versions(), func(v string) bool { return !strings.HasPrefix(v, year+".") }))
}

// sameVersion returns the known release that a name means in another spelling: 26.3 is 26.03.
func sameVersion(name string) string {
	for _, known := range versions() {
		if version.Compare(known, strings.TrimPrefix(name, "v")) == 0 {
			return known
		}
	}
	return ""
}

func versions() []string {
	var out []string
	for _, r := range All() {
		out = append(out, r.Version)
	}
	return out
}
