package fixes

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// Where records are in the cluster.
const (
	recordNamespace = "kubeflow"
	recordPrefix    = "kubectl-kubeflow-doctor-"
	recordLabel     = "kubectl-kubeflow/doctor-run"
	recordKey       = "run"
	kept            = 10 // runs that are remembered
)

// Records returns the objects that hold records, with their metadata alone, so that an uninstall can delete them.
func Records(ctx context.Context, view cluster.View) ([]*unstructured.Unstructured, error) {
	return records(ctx, view, cluster.Scope{Namespace: recordNamespace, Labels: recordLabel, Metadata: true})
}

// Runs returns the records of earlier fixes, the newest first.
func Runs(ctx context.Context, client *cluster.Client) ([]Run, error) {
	objects, err := records(ctx, client.View(), cluster.Scope{Namespace: recordNamespace, Labels: recordLabel})
	if err != nil {
		return nil, err
	}
	byName := map[string]Run{}
	for _, o := range objects { // a run that is in a ConfigMap and in a Secret was being moved: the Secret is complete
		run, err := decode(o)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", cluster.RefOf(o), err)
		}
		run.stored = append(byName[run.Name].stored, o.GetKind())
		byName[run.Name] = *run
	}
	var runs []Run
	for _, run := range byName {
		runs = append(runs, run)
	}
	slices.SortFunc(runs, func(a, b Run) int { return strings.Compare(b.Name, a.Name) })
	return runs, nil
}

// records lists the objects that hold records, ConfigMaps first.
func records(ctx context.Context, view cluster.View, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, kind := range []string{"ConfigMap", "Secret"} {
		list, err := view.List(ctx, schema.GroupKind{Kind: kind}, in)
		if kind == "Secret" && apierrors.IsForbidden(err) {
			continue // who is not allowed to read Secrets has written none
		}
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// decode reads a run out of the object that holds it.
func decode(o *unstructured.Unstructured) (*Run, error) {
	text, _, err := unstructured.NestedString(o.Object, "data", recordKey)
	if err != nil {
		return nil, err
	}
	content := []byte(text)
	if o.GetKind() == "Secret" {
		if content, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, err
		}
	}
	run := &Run{}
	return run, json.Unmarshal(content, run)
}

// store writes the record: into a Secret once it holds what a Secret held.
func (r *Run) store(ctx context.Context, client *cluster.Client) error {
	content, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding the record of run %s: %w", r.Name, err)
	}
	kind, field := "ConfigMap", "data"
	if r.secret() || slices.Contains(r.stored, "Secret") {
		kind, field = "Secret", "stringData"
	}
	object := r.object(kind)
	object.Object[field] = map[string]any{recordKey: string(content)}
	if _, err = client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: object}, cluster.Options{Manager: doctor.Manager, Force: true}); err != nil {
		return fmt.Errorf("storing what undo needs: %w", err)
	}
	for _, old := range r.stored { // only now: at every moment one of them is there
		if old == kind {
			continue
		}
		if err := r.deleteFrom(ctx, client, old); err != nil {
			return err
		}
	}
	r.stored = []string{kind}
	return nil
}

func (r *Run) object(kind string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": kind,
		"metadata": map[string]any{
			"name": recordPrefix + r.Name, "namespace": recordNamespace,
			"labels": map[string]any{"app.kubernetes.io/managed-by": "kubectl-kubeflow", recordLabel: r.Name},
		},
	}}
}

func (r *Run) deleteFrom(ctx context.Context, client *cluster.Client, kind string) error {
	_, err := client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: r.object(kind)}, cluster.Options{Manager: doctor.Manager})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// prune deletes the oldest records.
func prune(ctx context.Context, client *cluster.Client, runs []Run) error {
	if len(runs) < kept {
		return nil
	}
	for _, r := range runs[kept-1:] {
		for _, kind := range r.stored {
			if err := r.deleteFrom(ctx, client, kind); err != nil {
				return err
			}
		}
	}
	return nil
}
