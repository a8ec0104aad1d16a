package kube

import "testing"

func TestImageReferencesAreTakenApart(t *testing.T) {
	const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for image, want := range map[string]Image{
		"busybox":                          {"busybox", "latest", ""},
		"busybox:1.36":                     {"busybox", "1.36", ""},
		"gcr.io/ml-pipeline/api-server:2.": {"gcr.io/ml-pipeline/api-server", "2.", ""},
		"registry.example.com:5000/app":    {"registry.example.com:5000/app", "latest", ""},
		"registry.example.com:5000/app:v1": {"registry.example.com:5000/app", "v1", ""},
		"app@" + digest:                    {"app", "", digest},
		"ghcr.io/a/b:v1@" + digest:         {"ghcr.io/a/b", "v1", digest},
		"$(IMAGE)":                         {"$(IMAGE)", "", ""},
		"":                                 {},
	} {
		if got := ParseImage(image); got != want {
			t.Errorf("ParseImage(%q) = %+v, want %+v", image, got, want)
		}
	}
}
