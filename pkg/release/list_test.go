package release

import (
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/version"
)

func TestReleasesAreListedOldestFirstAndWithoutMini(t *testing.T) {
	var versions []string
	for _, r := range All() {
		versions = append(versions, r.Version)
	}
	want := "1.2.0 1.3.1 1.4.1 1.5.1 1.6.1 1.7.0 1.8.1 1.9.0 1.9.1 1.10.2 1.11.0 26.03 26.03.1"
	if got := strings.Join(versions, " "); got != want {
		t.Errorf("releases are %s, want %s", got, want)
	}
}

// unpinned are the releases whose archive has no known hash: they install with a warning that contains
// the hash of the download.
var unpinned = map[string]bool{"1.9.0": true, "26.03.1": true}

func TestEveryReleaseFileIsComplete(t *testing.T) {
	tags := map[string]string{}
	for _, r := range load() {
		if r.Kubernetes.Min == "" && r.Kubernetes.Max == "" {
			t.Errorf("%s has no Kubernetes range", r)
		}
		if r.SignIn != NoSignIn && r.SignIn != AuthService && r.SignIn != OAuth2Proxy {
			t.Errorf("%s has the sign-in %q", r, r.SignIn)
		}
		if r.Source.URL == "" {
			continue
		}
		if r.Hidden {
			r.Pipelines = r.Version // it has none
		}
		if other := tags[r.Pipelines]; other != "" || r.Pipelines == "" {
			t.Errorf("%s has the fingerprint %q, as %s", r, r.Pipelines, other)
		}
		tags[r.Pipelines] = r.Version
		for _, source := range append([]Source{r.Source}, r.Remotes...) {
			if !strings.HasPrefix(source.URL, "https://github.com/") {
				t.Errorf("%s comes from %q", r, source.URL)
			}
			if !unpinned[r.Version] && (!strings.HasPrefix(source.Hash, "h1:") || len(source.Hash) != 47) {
				t.Errorf("%s: the pin of %s is %q", r, source.URL, source.Hash)
			}
		}
		if !r.Installable() || len(r.Components) == 0 {
			t.Errorf("%s cannot be installed, or has no components", r)
		}
	}
}

func TestAReleaseIsFoundByItsName(t *testing.T) {
	for _, name := range []string{"1.2.0", "v1.2.0", "26.03", "mini"} {
		if r, err := Find(name); err != nil || r.Version != strings.TrimPrefix(name, "v") {
			t.Errorf("%s is %v, %v", name, r, err)
		}
	}
	if _, err := Find("2.0"); err == nil || !strings.Contains(err.Error(), "1.2.0, 1.3.1") {
		t.Errorf("error is %v, should name the known ones", err)
	}
}

func TestARangeRatesAKubernetesVersion(t *testing.T) {
	k := version.KubernetesRange{Min: "1.20", Max: "1.22", Ceiling: "1.24"}
	for kubernetes, want := range map[string]string{"1.19": "too old", "v1.21.3": "suits", "1.23": "untested", "1.25+": "too new", "": "unknown"} {
		if got := k.Fit(kubernetes); got != want {
			t.Errorf("%q: %s, want %s", kubernetes, got, want)
		}
	}
}

func TestTheNewestCompatibleReleaseIsChosen(t *testing.T) {
	for kubernetes, want := range map[string]string{
		"1.16": "1.6.1", "v1.21.14": "1.6.1", "1.35": "26.03", "v1.34.2-aks": "26.03", "1.36+": "26.03", "1.28": "", "1.29": "1.9.1", "1.33": "1.11.0", "nonsense": "",
	} {
		if r, ok := Newest(kubernetes); ok != (want != "") || r.Version != want {
			t.Errorf("for Kubernetes %s it is %q, want %q", kubernetes, r.Version, want)
		}
	}
}

func TestCompatibleReleasesIncludeUnpinnedOnes(t *testing.T) {
	var fitting []string
	for _, r := range Fitting("1.34") {
		fitting = append(fitting, r.Version)
	}
	if got := strings.Join(fitting, " "); got != "1.11.0 26.03 26.03.1" {
		t.Errorf("releases compatible with 1.34 are %s", got)
	}
}

func TestAReleaseIsRecognisedByItsPipelines(t *testing.T) {
	for tag, want := range map[string]string{"1.0.4": "1.2.0", "2.16.0": "26.03", "2.16.1": "26.03.1", "2.0.0-alpha.7": "1.7.0"} {
		if r, ok := Fingerprint(tag); !ok || r.Version != want {
			t.Errorf("%s is %v, want %s", tag, r, want)
		}
	}
	if r, ok := Fingerprint("9.9.9"); ok {
		t.Errorf("an unknown tag is %v", r)
	}
}

func TestARangeDistinguishesTestedFromPossible(t *testing.T) {
	r, err := Find("1.6.1")
	if err != nil {
		t.Fatal(err)
	}
	for kubernetes, want := range map[string][2]bool{"1.22": {true, true}, "1.24": {false, true}, "1.25": {false, false}, "?": {false, false}} {
		if got := [2]bool{r.Kubernetes.Tested(kubernetes), r.Kubernetes.Possible(kubernetes)}; got != want {
			t.Errorf("on %s tested and possible are %v, want %v", kubernetes, got, want)
		}
	}
}

func TestARangeIsFormattedInWords(t *testing.T) {
	for want, k := range map[string]version.KubernetesRange{
		"1.16 to 1.21":  {Min: "1.16", Max: "1.21"},
		"1.34 or newer": {Min: "1.34"},
		"1.17":          {Min: "1.17", Max: "1.17"},
		"up to 1.22":    {Max: "1.22"},
	} {
		if k.String() != want {
			t.Errorf("%+v reads %q, want %q", k, k, want)
		}
	}
}
