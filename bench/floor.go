package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// floor is the lower bound for an install: the objects without webhook configurations, sixteen server-side applies in
// parallel, namespaces and CRDs first, and a retry for objects whose CRD is not established yet.
func (b *bench) floor(ctx context.Context, f figures, kubeconfig string) error {
	objects, err := b.bare(ctx)
	if err != nil {
		return err
	}
	client, err := b.connect(kubeconfig)
	if err != nil {
		return err
	}
	for _, part := range []string{"floor first", "floor again"} {
		began := time.Now()
		for _, first := range []bool{true, false} {
			if err := applySide(ctx, client, objects, first); err != nil {
				return err
			}
		}
		f.add(part, time.Since(began).Seconds())
	}
	return nil
}

// connect returns a client with its own discovery cache, so that no round profits from an earlier one.
func (b *bench) connect(kubeconfig string) (*cluster.Client, error) {
	flags := genericclioptions.NewConfigFlags(true).WithDiscoveryQPS(-1)
	cache, err := os.MkdirTemp(b.work, "discovery-")
	if err != nil {
		return nil, err
	}
	flags.KubeConfig, flags.CacheDir = &kubeconfig, &cache
	return cluster.Connect(flags)
}

// bare renders 26.03 without webhook configurations, and writes the result to a file for bareInstall.
func (b *bench) bare(ctx context.Context) ([]*unstructured.Unstructured, error) {
	rendered, err := b.rendered(ctx)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	list := []any{}
	for _, o := range rendered.Objects() {
		if !strings.HasSuffix(o.GetKind(), "WebhookConfiguration") {
			objects = append(objects, o)
			list = append(list, o.Object)
		}
	}
	body, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": list})
	if err != nil {
		return nil, err
	}
	return objects, os.WriteFile(filepath.Join(b.work, "bare.json"), body, 0o644)
}

func (b *bench) rendered(ctx context.Context) (*release.Rendered, error) {
	return release.Render(ctx, release.Input{Release: "26.03"}, release.RenderOptions{Mirror: b.mirror, SkipVerify: true, CacheDir: filepath.Join(b.work, "render")})
}

func applySide(ctx context.Context, client *cluster.Client, objects []*unstructured.Unstructured, first bool) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, o := range objects {
		if early := o.GetKind() == "Namespace" || o.GetKind() == "CustomResourceDefinition"; early != first {
			continue
		}
		if o.GetKind() == "CustomResourceDefinition" {
			client.Learn(o)
		}
		group.Go(func() error {
			for {
				_, err := client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: o}, cluster.Options{Manager: "bench", Force: true})
				if !apierrors.IsNotFound(err) && !cluster.Transient(err) {
					return err
				}
				time.Sleep(200 * time.Millisecond)
			}
		})
	}
	return group.Wait()
}
