package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// unpack extracts 26.03's manifests and replaces their remote references by local copies, so that kubectl kustomize needs
// neither git nor the internet: the benchmark measures building, not downloading.
func (b *bench) unpack() error {
	github := filepath.Join(b.mirror, "github.com")
	for _, archive := range []string{
		filepath.Join(github, "kubeflow/community-distribution/archive/refs/tags/26.03.tar.gz"),
		filepath.Join(github, "argoproj/argo-workflows/archive/refs/tags/v3.7.3.tar.gz"),
	} {
		if err := extract(archive, b.work); err != nil {
			return err
		}
	}
	b.tree = filepath.Join(b.work, "community-distribution-26.03")
	jobset, err := os.ReadFile(filepath.Join(github, "kubernetes-sigs/jobset/releases/download/v0.10.1/manifests.yaml"))
	if err != nil {
		return err
	}
	return filepath.WalkDir(b.tree, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "kustomization.yaml" {
			return err
		}
		body, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		text := string(body)
		if strings.Contains(text, "jobset/releases/download") {
			text = strings.ReplaceAll(text, "https://github.com/kubernetes-sigs/jobset/releases/download/v0.10.1/manifests.yaml", "jobset.yaml")
			if err := os.WriteFile(filepath.Join(filepath.Dir(file), "jobset.yaml"), jobset, 0o644); err != nil {
				return err
			}
		}
		up, err := filepath.Rel(filepath.Dir(file), filepath.Join(b.work, "argo-workflows-3.7.3"))
		if err != nil {
			return err
		}
		text = strings.ReplaceAll(text, "https://github.com/argoproj/argo-workflows", up)
		text = strings.ReplaceAll(text, "?ref=v3.7.3", "")
		return os.WriteFile(file, []byte(text), 0o644)
	})
}

func extract(archive, into string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	entries := tar.NewReader(unzipped)
	for {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg || !filepath.IsLocal(header.Name) {
			continue
		}
		body, err := io.ReadAll(entries)
		if err != nil {
			return err
		}
		target := filepath.Join(into, header.Name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, body, 0o644); err != nil {
			return err
		}
	}
}
