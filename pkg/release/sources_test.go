package release

import "testing"

func TestAFileOfARepositoryIsFoundInItsArchive(t *testing.T) {
	for _, address := range []string{
		"https://raw.githubusercontent.com/o/r/v1/a/b.yaml",
		"https://raw.githubusercontent.com/o/r/refs/tags/v1/a/b.yaml",
		"https://github.com/o/r/blob/v1/a/b.yaml",
		"https://github.com/o/r/raw/v1/a/b.yaml",
	} {
		if archive, file, ok := raw(address); !ok || archive != "https://github.com/o/r/archive/v1.tar.gz" || file != "a/b.yaml" {
			t.Errorf("%s is %s in %s", address, file, archive)
		}
	}
	for _, address := range []string{"https://example.com/o/r/v1/a.yaml", "https://github.com/o/r/archive/v1.tar.gz", "https://raw.githubusercontent.com/o/r", "a.yaml"} {
		if _, _, ok := raw(address); ok {
			t.Errorf("%s is recognised as a file of a repository", address)
		}
	}
}

func TestPinnedSourcesAreFoundByEveryAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://github.com/kubeflow/manifests/archive/v1.2.0.tar.gz":                              "1.2.0",
		"https://github.com/kubeflow/manifests/archive/refs/heads/v1.2-branch.tar.gz":              "1.2.0",
		"https://github.com/kubeflow/community-distribution/archive/26.03.tar.gz":                  "26.03",
		"https://github.com/kubeflow/manifests/archive/refs/tags/26.03.tar.gz":                     "26.03",
		"https://github.com/kubeflow/community-distribution/archive/refs/tags/v1.9.1.tar.gz":       "1.9.1",
		"https://github.com/kubeflow/manifests/archive/v1.2.0.tar.gz?archive=tar.gz&checksum=none": "1.2.0",
	} {
		r, _ := request(address)
		if _, release, ok := known(r.URL); !ok || release == nil || release.Version != want || r.Hash == "" {
			t.Errorf("%s is %+v", address, r)
		}
	}
	if r, warning := request("https://github.com/kubeflow/manifests/archive/v1.2-branch.tar.gz"); warning == "" || r.Hash == "" {
		t.Error("there is no warning about a moving branch that is replaced by a tag")
	}
	if r, _ := request("https://github.com/o/r/archive/v1.0.tar.gz"); r.Hash != "" {
		t.Errorf("an unknown archive has a hash: %+v", r)
	}
}
