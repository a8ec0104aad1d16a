package apply

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// storageLag is how long an API server may take to write objects in a new storage version after the CRD names it: with several API
// servers each has to see the change.
const storageLag = 5 * time.Second

// migratedUpdate is the progress of one CRD's migration.
type migratedUpdate struct {
	i   int
	why string
}

func (f migratedUpdate) handle(e *engine) {
	if it := e.items[f.i]; it.state == sending {
		it.why = f.why
	}
}

// migrate prepares an existing CRD for the new one. Each step can be repeated: after an interruption the next plan finds what is left.
func migrate(ctx context.Context, client *cluster.Client, g plan.Gated, say func(string)) error {
	live, err := client.View().Get(ctx, g.Ref())
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	m := plan.MigrationOf(live, g.Object)
	switch {
	case m == nil:
		return nil
	case m.Refusal != "":
		return &problem.Error{What: fmt.Sprintf("%s cannot be replaced: %s", g.Ref(), m.Refusal), Next: "Upgrade to a release in between first"}
	case len(m.Gone) > 0:
		if err := migrateStored(ctx, client, live, m, say); err != nil {
			return err
		}
	}
	if m.Conversion {
		return replaceConversion(ctx, client, g)
	}
	return nil
}

// migrateStored writes every stored object again in a version that stays, and then says so in the CRD's status.
func migrateStored(ctx context.Context, client *cluster.Client, live *unstructured.Unstructured, m *plan.Migration, say func(string)) error {
	change := cluster.Edit(live, func(crd *unstructured.Unstructured) {
		for _, version := range kube.Items(crd.Object, "spec", "versions") {
			version["storage"] = version["name"] == m.Storage
			if version["name"] == m.Storage {
				version["served"] = true
			}
		}
	})
	if _, err := client.Do(ctx, change, cluster.Options{Manager: inventory.Manager}); err != nil {
		return fmt.Errorf("changing the storage version: %w", err)
	}
	// Also after an interruption, which can have come a moment after the change.
	if err := kube.Sleep(ctx, storageLag); err != nil {
		return err
	}
	if err := rewriteAll(ctx, client, live, m.Storage, say); err != nil {
		return err
	}
	err := client.SetStoredVersions(ctx, cluster.RefOf(live), []string{m.Storage}, cluster.Options{Manager: inventory.Manager})
	if err != nil {
		return fmt.Errorf("recording the storage version: %w", err)
	}
	return nil
}

// rewriteAll reads the objects of a CRD in pages and sends each an empty patch: the server writes it again if its stored form changes, and
// nothing else of it.
func rewriteAll(ctx context.Context, client *cluster.Client, crd *unstructured.Unstructured, version string, say func(string)) error {
	kind := kube.DefinedKind(crd).WithVersion(version)
	var done atomic.Int64
	return client.EachPage(ctx, kind, rewritePage, func(page []metav1.PartialObjectMetadata, remaining int64) error {
		total := done.Load() + int64(len(page)) + remaining
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(plan.MaxParallel)
		for _, o := range page {
			group.Go(func() error {
				ref := cluster.Ref{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind, Namespace: o.Namespace, Name: o.Name}
				err := rewrite(ctx, client, ref)
				if n := done.Add(1); err == nil && n%100 == 0 {
					say(fmt.Sprintf("writing its objects again as %s: %d of %d", version, n, total))
				}
				return err
			})
		}
		return group.Wait()
	})
}

// rewritePage is how many objects are listed at once.
const rewritePage = 500

func rewrite(ctx context.Context, client *cluster.Client, ref cluster.Ref) error {
	_, err := Retry(ctx, func() (*unstructured.Unstructured, error) {
		return nil, client.Touch(ctx, ref, cluster.Options{Manager: inventory.Manager})
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err) {
		return &problem.Error{Err: err, What: fmt.Sprintf("%s cannot be stored in the new version: %s", ref, plan.InnermostMessage(err)),
			Next: "Correct or delete it, then run the same command again: what was written stays"}
	}
	return err
}

// replaceConversion replaces the conversion of a CRD as a whole.
func replaceConversion(ctx context.Context, client *cluster.Client, g plan.Gated) error {
	live, err := client.View().Get(ctx, g.Ref())
	if err != nil {
		return err
	}
	conversion := kube.Map(g.Object.Object, "spec", "conversion")
	if conversion == nil {
		conversion = map[string]any{"strategy": "None"}
	}
	_, err = client.Do(ctx, cluster.Edit(live, func(crd *unstructured.Unstructured) {
		_ = unstructured.SetNestedMap(crd.Object, conversion, "spec", "conversion")
	}), cluster.Options{Manager: inventory.Manager})
	if err != nil {
		return fmt.Errorf("replacing the conversion: %w", err)
	}
	return nil
}
