package uninstall

import (
	"cmp"
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Run deletes what a request names, wave by wave, each one before the next starts, and the inventory last. Before CRDs and
// namespaces it reads the cluster again, so that what was created meanwhile is not lost. If it is interrupted, the same
// request finishes it.
//
// It returns an [UnfinishedError] if objects do not disappear, and the API's error if one cannot be deleted.
func Run(ctx context.Context, client *cluster.Client, request Request, o Options) (*Result, error) {
	if o.Observe == nil {
		o.Observe = func(events.Event) {}
	}
	o.Parallel, o.Patience = cmp.Or(o.Parallel, 16), cmp.Or(o.Patience, 2*time.Minute)
	if request.Inventory.Revision() == "" { // namespaces that an earlier uninstall has deleted: there is nothing to write
		u := &uninstaller{client: client, request: request, options: o, result: &Result{Removed: []cluster.Ref{}}}
		return u.result, u.awaitNamespaces(ctx)
	}
	ctx, release, err := lock.Acquire(ctx, client, "uninstalling "+titleOf(request.Inventory), func(e lock.Event) { o.Observe(events.Note{Text: e.String()}) })
	if err != nil {
		return nil, err
	}
	defer release()
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	u := &uninstaller{client: client, request: request, options: o, result: &Result{Removed: []cluster.Ref{}}}
	if err := u.run(ctx); err != nil {
		if lost := lock.Lost(ctx); lost != nil {
			return u.result, lost
		}
		return u.result, err
	}
	return u.result, nil
}

func titleOf(inv *inventory.Inventory) string {
	if inv.Release != "" {
		return "Kubeflow " + inv.Release
	}
	return inv.Name
}

// An uninstaller carries out one Request.
type uninstaller struct {
	client  *cluster.Client
	request Request
	options Options
	result  *Result
}

func (u *uninstaller) run(ctx context.Context) error {
	if err := u.checkUnchanged(ctx); err != nil {
		return err
	}
	removal, err := u.replan(ctx)
	if err != nil {
		return err
	}
	if err := inventory.TakeOver(ctx, u.client, slices.Concat(u.request.Others, []*inventory.Inventory{u.request.Inventory})); err != nil {
		return err
	}
	left := removal.LeftOvers
	u.markUninstalling(ctx)
	for _, step := range [][]phase{{external, webhooks, userObjects, profiles, customResources, workloads, settings}, {crds}, {namespaces}} {
		for _, p := range step {
			if err := u.deletePhase(ctx, removal, p); err != nil {
				return err
			}
		}
		if removal, err = u.replan(ctx); err != nil {
			return err
		}
	}
	u.result.Keep, u.result.LeftOvers = removal.Keep, u.remainingLeftOvers(ctx, left)
	if err := u.removeNamespaceSettings(ctx, removal.preExisting); err != nil {
		return err
	}
	if len(removal.wave(stateNamespace)) > 0 {
		return u.deletePhase(ctx, removal, stateNamespace)
	}
	return u.finishInventory(ctx, removal)
}

// awaitNamespaces waits until the namespaces that an earlier uninstall has deleted are gone.
func (u *uninstaller) awaitNamespaces(ctx context.Context) error {
	if u.options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, u.options.Timeout)
		defer cancel()
	}
	removal, err := u.replan(ctx)
	if err != nil {
		return err
	}
	u.result.Keep = removal.Keep
	for _, p := range []phase{namespaces, stateNamespace} {
		if err := u.deletePhase(ctx, removal, p); err != nil {
			return err
		}
	}
	return nil
}

// checkUnchanged checks that the inventory in the cluster is still the one that the user confirmed to uninstall.
func (u *uninstaller) checkUnchanged(ctx context.Context) error {
	have := u.request.Inventory
	if u.request.Agreed == nil || have.Live == nil {
		return nil
	}
	all, err := inventory.List(ctx, u.client.View())
	if err != nil {
		return err
	}
	if now := inventory.Find(all, have.Name); now == nil || now.Revision() != have.Revision() {
		return &problem.Error{What: titleOf(have) + " was installed or removed by another program while this uninstall was being prepared",
			Next: "Nothing was changed. Preview it again with --dry-run, or run the same command again"}
	}
	return nil
}

// replan reads the cluster again and decides again.
func (u *uninstaller) replan(ctx context.Context) (*Plan, error) {
	survey, err := ReadCluster(ctx, u.client)
	if err != nil {
		return nil, err
	}
	return Decide(u.request, survey), nil
}

// deletePhase deletes the objects of one phase, and waits until they are gone.
func (u *uninstaller) deletePhase(ctx context.Context, removal *Plan, p phase) error {
	objects := removal.wave(p)
	if len(objects) == 0 {
		return nil
	}
	w := newDeletion(u.client, phaseTitles[p], u.options)
	w.whole = p == workloads
	w.noWait = u.options.NoWait && p >= namespaces
	err := w.run(ctx, objects)
	u.result.Removed = append(u.result.Removed, w.removed...)
	return err
}

// markUninstalling records that an uninstall has started, so that status can distinguish an interrupted uninstall from objects
// that another client deleted. If that fails, only that detail is missing from status.
func (u *uninstaller) markUninstalling(ctx context.Context) {
	have := *u.request.Inventory
	if have.Live == nil || have.Uninstalled || have.Uninstalling {
		return
	}
	have.Uninstalling = true
	want, err := have.Encode()
	if err != nil {
		return
	}
	if after, err := u.client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: want}, cluster.Options{Manager: inventory.Manager, Force: true}); err == nil {
		have.Live = after
		u.request.Inventory = &have
	}
}

// finishInventory makes the inventory list what was kept, or deletes it where nothing was.
func (u *uninstaller) finishInventory(ctx context.Context, removal *Plan) error {
	have := *u.request.Inventory
	if have.Live == nil {
		return nil
	}
	if removal.Complete() {
		_, err := apply.Retry(ctx, func() (*unstructured.Unstructured, error) {
			return u.client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: have.Live}, cluster.Options{Manager: inventory.Manager})
		})
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return nil
		}
		return err
	}
	u.result.Record = true
	have.Release, have.Source, have.Objects = "", nil, slices.Clone(removal.remainingEntries) // no longer a Kubeflow, only what was kept of it
	have.Uninstalled, have.Uninstalling = true, false
	want, err := have.Encode()
	if err != nil || inventory.SameData(have.Live, want) {
		return err
	}
	_, err = apply.Retry(ctx, func() (*unstructured.Unstructured, error) {
		return u.client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: want}, cluster.Options{Manager: inventory.Manager, Force: true})
	})
	return err
}

// removeNamespaceSettings removes the labels for Istio and for Pod Security that an install set on namespaces that existed before.
func (u *uninstaller) removeNamespaceSettings(ctx context.Context, namespaces []*unstructured.Unstructured) error {
	for _, o := range namespaces {
		if o.GetDeletionTimestamp() != nil {
			continue
		}
		name := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": o.GetName(), "uid": string(o.GetUID())}}}
		_, err := apply.Retry(ctx, func() (*unstructured.Unstructured, error) {
			return u.client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: name}, cluster.Options{Manager: inventory.Manager, Force: true})
		})
		if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// remainingLeftOvers returns the left-overs that still exist.
func (u *uninstaller) remainingLeftOvers(ctx context.Context, left []Kept) []Kept {
	view := u.client.View()
	return slices.DeleteFunc(left, func(k Kept) bool {
		_, err := view.Get(ctx, k.Ref)
		return apierrors.IsNotFound(err)
	})
}

// TerminatingNamespaces returns the namespaces of an earlier uninstall that are still being deleted, as an inventory to continue
// with: while its namespace is being deleted, the inventory itself no longer exists. It is nil if there are none.
func TerminatingNamespaces(survey *Snapshot) *inventory.Inventory {
	inv := &inventory.Inventory{Name: "kubeflow"}
	for _, o := range survey.objects[kube.NamespaceKind] {
		ours := plan.ManagedByInstall(o) || o.GetName() == "kubeflow"
		if o.GetDeletionTimestamp() != nil && ours {
			inv.Objects = append(inv.Objects, inventory.Entry{Ref: cluster.RefOf(o), Fields: "none"})
		}
	}
	if len(inv.Objects) == 0 {
		return nil
	}
	return inv
}

// Tidy deletes the namespace of the records where nothing is recorded in it: with the Lease of a process that has ended.
func Tidy(ctx context.Context, client *cluster.Client, survey *Snapshot) error {
	namespace := survey.StateNamespace()
	if namespace == nil || len(survey.recordsIn(namespace)) > 0 {
		return nil
	}
	ctx, release, err := lock.Acquire(ctx, client, "deleting the namespace of its records", nil)
	if err != nil {
		return err
	}
	defer release()
	w := newDeletion(client, phaseTitles[stateNamespace], Options{Parallel: 1, Patience: time.Minute, Observe: func(events.Event) {}})
	return w.run(ctx, []*unstructured.Unstructured{namespace})
}

// recordsIn returns what this program has recorded in its namespace.
func (s *Snapshot) recordsIn(namespace *unstructured.Unstructured) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, kind := range s.kinds {
		for _, o := range s.objects[kind.GroupKind] {
			if o.GetNamespace() == namespace.GetName() && isRecord(o) && !inventory.IsMarker(o) {
				out = append(out, o)
			}
		}
	}
	return out
}
