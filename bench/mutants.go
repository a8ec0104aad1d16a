package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/mutants"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// mutantsEach is how many mutants of either sort are made of a release; the API server accepts about half of the values.
const mutantsEach = 300

// mutate returns what measures how many mutants of a release the doctor explains. What the API server refuses is written below folder,
// for the tests that have no API server.
func mutate(version string) func(*bench, context.Context, figures, string) error {
	return func(b *bench, ctx context.Context, f figures, kubeconfig string) error {
		rendered, err := release.Render(ctx, release.Input{Release: version}, release.RenderOptions{Mirror: b.mirror, SkipVerify: true, CacheDir: filepath.Join(b.work, "render")})
		if err != nil {
			return err
		}
		objects := rendered.Objects()
		client, err := b.connect(kubeconfig)
		if err != nil {
			return err
		}
		if err := applyEach(ctx, client, objects); err != nil {
			return err
		}
		values, err := refused(ctx, client, objects)
		if err != nil {
			return err
		}
		if b.record != "" {
			if err := record(filepath.Join(b.record, version+".txt"), values); err != nil {
				return err
			}
		}
		all := mutants.References(1, mutantsEach, objects)
		for _, v := range values {
			all = append(all, v.Mutant)
		}
		return f.explained(ctx, version, objects, all)
	}
}

// applyEach creates namespaces and CustomResourceDefinitions, so that the server can judge the rest without keeping it. What it refuses
// is not judged.
func applyEach(ctx context.Context, client *cluster.Client, objects []*unstructured.Unstructured) error {
	first := slices.DeleteFunc(slices.Clone(objects), func(o *unstructured.Unstructured) bool {
		return o.GetKind() != "Namespace" && o.GetKind() != "CustomResourceDefinition" || ask(ctx, client, o) != nil
	})
	return applySide(ctx, client, first, true)
}

// A refusal is a mutant and why the server does not accept it.
type refusal struct {
	mutants.Mutant
	why string
}

// refused returns the mutants with values that the server refuses, of objects that it accepts.
func refused(ctx context.Context, client *cluster.Client, objects []*unstructured.Unstructured) ([]refusal, error) {
	all := mutants.Values(1, 2*mutantsEach, objects)
	reasons := make([]string, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, m := range all {
		group.Go(func() error {
			if ask(ctx, client, m.Before) == nil {
				if err := ask(ctx, client, m.After); err != nil {
					reasons[i] = err.Error()
				}
			}
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var chosen []refusal
	for i, m := range all {
		if reasons[i] != "" {
			chosen = append(chosen, refusal{m, reasons[i]})
		}
	}
	return chosen, nil
}

// ask returns why the server would not apply an object.
func ask(ctx context.Context, client *cluster.Client, o *unstructured.Unstructured) error {
	for {
		_, err := client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: o}, cluster.Options{Manager: "bench", Force: true, DryRun: true})
		if err == nil || !cluster.Transient(err) || ctx.Err() != nil || apierrors.IsInternalError(err) {
			return err
		}
	}
}

// record writes what the server refuses, a line each, for the tests that have no server.
func record(file string, values []refusal) error {
	var out strings.Builder
	for _, v := range values {
		fmt.Fprintf(&out, "%s\t%s\n", v.Mutant, strings.Join(strings.Fields(v.why), " "))
	}
	return os.WriteFile(file, []byte(out.String()), 0o644)
}

// explained counts, by kind of mutant, those of which the doctor says something that it does not say of the release itself.
func (f figures) explained(ctx context.Context, version string, objects []*unstructured.Unstructured, all []mutants.Mutant) error {
	known := findings(ctx, objects)
	for _, m := range all {
		var fresh []string
		for text := range findings(ctx, m.Apply(objects)) {
			if !known[text] {
				fresh = append(fresh, text)
			}
		}
		hit := 0.0
		if m.Explained(fresh) {
			hit = 1
		}
		f.add(mutantFigure+version+": "+m.Kind, hit)
	}
	return ctx.Err()
}

// findings returns what the doctor says of objects, as texts.
func findings(ctx context.Context, objects []*unstructured.Unstructured) map[string]bool {
	said := map[string]bool{}
	report := doctor.Diagnose(ctx, cluster.Objects("rendered manifests", nil, slices.Concat(objects, []*unstructured.Unstructured{doctor.TypicalNode()})...), checks.All(), doctor.Options{})
	for _, c := range report.Checks {
		for _, f := range c.Findings {
			if f.Severity.AtLeast(doctor.Warning) {
				said[strings.Join([]string{f.About.String(), f.Message, f.Cause, f.Advice}, " ")] = true
			}
		}
	}
	return said
}
