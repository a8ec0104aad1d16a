package uninstall

import (
	"cmp"
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// Uninstall takes off what a request names, wave by wave, each one gone before the next begins, and the record of it
// last. Which definitions and namespaces can go is decided anew when it is their turn: what came in between is not lost.
// Cut off at any moment, the same request finishes it.
//
// What does not go ends with an [Unremoved]; what cannot be deleted with the API's error.
func Uninstall(ctx context.Context, client *cluster.Client, request UninstallRequest, o UninstallOptions) (*Removed, error) {
	if o.Observe == nil {
		o.Observe = func(events.Event) {}
	}
	o.Parallel, o.Patience = cmp.Or(o.Parallel, 16), cmp.Or(o.Patience, 2*time.Minute)
	ctx, release, err := lock.Hold(ctx, client, "uninstalling "+titleOf(request.Inventory))
	if err != nil {
		return nil, err
	}
	defer release()
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	u := &uninstaller{client: client, request: request, options: o, result: &Removed{Removed: []cluster.Ref{}}}
	if err := u.run(ctx); err != nil {
		if lost := lock.LostHold(ctx); lost != nil {
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

// An uninstaller carries out one Removal.
type uninstaller struct {
	client  *cluster.Client
	request UninstallRequest
	options UninstallOptions
	result  *Removed
}

func (u *uninstaller) run(ctx context.Context) error {
	if err := u.stillTrue(ctx); err != nil {
		return err
	}
	removal, err := u.decide(ctx)
	if err != nil {
		return err
	}
	left := removal.Left
	u.openRecord(ctx)
	for _, step := range [][]Phase{{outside, Webhooks, userObjects, profiles, CustomObjects, Workloads, Settings}, {Definitions}, {Namespaces}} {
		for _, p := range step {
			if err := u.clear(ctx, removal, p); err != nil {
				return err
			}
		}
		if removal, err = u.decide(ctx); err != nil {
			return err
		}
	}
	u.result.Keep, u.result.Left = removal.Keep, u.stillThere(ctx, left)
	if err := u.bare(ctx, removal.bare); err != nil {
		return err
	}
	if len(removal.wave(Home)) > 0 {
		return u.clear(ctx, removal, Home)
	}
	return u.closeRecord(ctx, removal)
}

// stillTrue looks whether the record that was agreed to be removed is still the one in the cluster.
func (u *uninstaller) stillTrue(ctx context.Context) error {
	have := u.request.Inventory
	if u.request.Agreed == nil || have.Live == nil {
		return nil
	}
	all, err := inventory.Inventories(ctx, u.client.View())
	if err != nil {
		return err
	}
	if now := inventory.Find(all, have.Name); now == nil || apply.Revision(now) != apply.Revision(have) {
		return &cluster.Problem{What: titleOf(have) + " was installed or removed by another program while this uninstall was being prepared",
			Next: "Nothing was changed. Preview it again with --dry-run, or run the same command again"}
	}
	return nil
}

// decide looks at the cluster again.
func (u *uninstaller) decide(ctx context.Context) (*Removal, error) {
	survey, err := Look(ctx, u.client)
	if err != nil {
		return nil, err
	}
	return NewRemoval(u.request, survey), nil
}

// clear deletes what goes in one phase, and waits until it is gone.
func (u *uninstaller) clear(ctx context.Context, removal *Removal, p Phase) error {
	objects := removal.wave(p)
	if len(objects) == 0 {
		return nil
	}
	w := newParting(u.client, PhaseTitles[p], u.options)
	w.whole = p == Workloads
	w.noWait = u.options.NoWait && p >= Namespaces
	err := w.run(ctx, objects)
	u.result.Removed = append(u.result.Removed, w.gone...)
	return err
}

// openRecord notes that an uninstall has begun, so that one that is cut off is told from objects that somebody deleted.
// Where it cannot be written, status says less and nothing else is lost.
func (u *uninstaller) openRecord(ctx context.Context) {
	have := *u.request.Inventory
	if have.Live == nil || have.Remains || have.Leaving {
		return
	}
	have.Leaving = true
	want, err := have.Encode()
	if err != nil {
		return
	}
	if after, err := u.client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: want}, cluster.Options{Manager: inventory.Manager, Force: true}); err == nil {
		have.Live = after
		u.request.Inventory = &have
	}
}

// closeRecord makes the inventory list what was kept, or deletes it where nothing was.
func (u *uninstaller) closeRecord(ctx context.Context, removal *Removal) error {
	have := *u.request.Inventory
	if have.Live == nil {
		return nil
	}
	if removal.Whole() {
		_, err := apply.Retry(ctx, func() (*unstructured.Unstructured, error) {
			return u.client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: have.Live}, cluster.Options{Manager: inventory.Manager})
		})
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return nil
		}
		return err
	}
	u.result.Record = true
	have.Release, have.Source, have.Objects = "", nil, slices.Clone(removal.records) // no Kubeflow any more, but what is left of one
	have.Remains, have.Leaving = true, false
	want, err := have.Encode()
	if err != nil || inventory.SameRecord(have.Live, want) {
		return err
	}
	_, err = apply.Retry(ctx, func() (*unstructured.Unstructured, error) {
		return u.client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: want}, cluster.Options{Manager: inventory.Manager, Force: true})
	})
	return err
}

// bare takes off namespaces that were there before what an install set on them: labels for the mesh and for pods' security.
func (u *uninstaller) bare(ctx context.Context, namespaces []*unstructured.Unstructured) error {
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

// stillThere returns which left-overs have not gone after all.
func (u *uninstaller) stillThere(ctx context.Context, left []Kept) []Kept {
	view := u.client.View()
	return slices.DeleteFunc(left, func(k Kept) bool {
		_, err := view.Get(ctx, k.Ref)
		return apierrors.IsNotFound(err)
	})
}

// Leaving returns the namespaces of an earlier uninstall that are still being deleted, as a record to go on with: when
// the namespace that kept the record goes, the record goes before it. It is nil when there are none.
func Leaving(survey *Survey) *inventory.Inventory {
	inv := &inventory.Inventory{Name: "kubeflow"}
	for _, o := range survey.objects[kube.NamespaceKind] {
		ours := plan.AppliedByUs(o) || o.GetName() == "kubeflow"
		if o.GetDeletionTimestamp() != nil && ours {
			inv.Objects = append(inv.Objects, inventory.Entry{Ref: cluster.RefOf(o), Fields: "none"})
		}
	}
	if len(inv.Objects) == 0 {
		return nil
	}
	return inv
}

// Tidy takes away the hold of a program that is gone, where nothing is installed and so nobody else will.
func Tidy(ctx context.Context, client *cluster.Client) error {
	_, err := client.Kube.CoordinationV1().Leases(lock.LeaseHome).Get(ctx, lock.LeaseName, metav1.GetOptions{})
	if err != nil {
		return nil // there is none, or it is not for this user to see
	}
	_, release, err := lock.Hold(ctx, client, "tidying up")
	if err == nil {
		release()
	}
	return err
}
