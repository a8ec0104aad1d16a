package install

import (
	"cmp"
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Uninstall takes off what a request names, wave by wave, each one gone before the next begins, and the record of it
// last. Which definitions and namespaces can go is decided anew when it is their turn: what came in between is not lost.
// Cut off at any moment, the same request finishes it.
//
// What does not go ends with an [Unremoved]; what cannot be deleted with the API's error.
func Uninstall(ctx context.Context, client *cluster.Client, request UninstallRequest, o UninstallOptions) (*Removed, error) {
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	o.Parallel, o.Patience = cmp.Or(o.Parallel, 16), cmp.Or(o.Patience, 2*time.Minute)
	ctx, release, err := Hold(ctx, client, "uninstalling "+titleOf(request.Inventory))
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
		if lost := lostHold(ctx); lost != nil {
			return u.result, lost
		}
		return u.result, err
	}
	return u.result, nil
}

func titleOf(inventory *Inventory) string {
	if inventory.Release != "" {
		return "Kubeflow " + inventory.Release
	}
	return inventory.Name
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
	for _, step := range [][]phase{{outside, webhooks, userObjects, profiles, customObjects, workloads, settings}, {definitions}, {namespaces}} {
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
	if len(removal.wave(home)) > 0 {
		return u.clear(ctx, removal, home)
	}
	return u.closeRecord(ctx, removal)
}

// stillTrue looks whether the record that was agreed to be removed is still the one in the cluster.
func (u *uninstaller) stillTrue(ctx context.Context) error {
	have := u.request.Inventory
	if u.request.Agreed == nil || have.live == nil {
		return nil
	}
	all, err := Inventories(ctx, u.client.View())
	if err != nil {
		return err
	}
	if now := Find(all, have.Name); now == nil || revision(now) != revision(have) {
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
func (u *uninstaller) clear(ctx context.Context, removal *Removal, p phase) error {
	objects := removal.wave(p)
	if len(objects) == 0 {
		return nil
	}
	w := newParting(u.client, phaseTitles[p], u.options)
	w.whole = p == workloads
	w.noWait = u.options.NoWait && p >= namespaces
	err := w.run(ctx, objects)
	u.result.Removed = append(u.result.Removed, w.gone...)
	return err
}

// openRecord notes that an uninstall has begun, so that one that is cut off is told from objects that somebody deleted.
// Where it cannot be written, status says less and nothing else is lost.
func (u *uninstaller) openRecord(ctx context.Context) {
	have := *u.request.Inventory
	if have.live == nil || have.Remains || have.Leaving {
		return
	}
	have.Leaving = true
	want, err := have.encode()
	if err != nil {
		return
	}
	if after, err := u.client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: want}, cluster.Options{Manager: Manager, Force: true}); err == nil {
		have.live = after
		u.request.Inventory = &have
	}
}

// closeRecord makes the inventory list what was kept, or deletes it where nothing was.
func (u *uninstaller) closeRecord(ctx context.Context, removal *Removal) error {
	have := *u.request.Inventory
	if have.live == nil {
		return nil
	}
	if removal.Whole() {
		_, err := retry(ctx, func() (*object, error) {
			return u.client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: have.live}, cluster.Options{Manager: Manager})
		})
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return nil
		}
		return err
	}
	u.result.Record = true
	have.Release, have.Source, have.Objects = "", nil, slices.Clone(removal.records) // no Kubeflow any more, but what is left of one
	have.Remains, have.Leaving = true, false
	want, err := have.encode()
	if err != nil || sameRecord(have.live, want) {
		return err
	}
	_, err = retry(ctx, func() (*object, error) {
		return u.client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: want}, cluster.Options{Manager: Manager, Force: true})
	})
	return err
}

// bare takes off namespaces that were there before what an install set on them: labels for the mesh and for pods' security.
func (u *uninstaller) bare(ctx context.Context, namespaces []*object) error {
	for _, o := range namespaces {
		if o.GetDeletionTimestamp() != nil {
			continue
		}
		name := &object{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": o.GetName(), "uid": string(o.GetUID())}}}
		_, err := retry(ctx, func() (*object, error) {
			return u.client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: name}, cluster.Options{Manager: Manager, Force: true})
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
func Leaving(survey *Survey) *Inventory {
	inventory := &Inventory{Name: "kubeflow"}
	for _, o := range survey.objects[kube.NamespaceKind] {
		ours := appliedByUs(o) || o.GetName() == "kubeflow"
		if o.GetDeletionTimestamp() != nil && ours {
			inventory.Objects = append(inventory.Objects, Entry{Ref: cluster.RefOf(o), Fields: "none"})
		}
	}
	if len(inventory.Objects) == 0 {
		return nil
	}
	return inventory
}

// Tidy takes away the hold of a program that is gone, where nothing is installed and so nobody else will.
func Tidy(ctx context.Context, client *cluster.Client) error {
	_, err := client.Kube.CoordinationV1().Leases(leaseHome).Get(ctx, leaseName, metav1.GetOptions{})
	if err != nil {
		return nil // there is none, or it is not for this user to see
	}
	_, release, err := Hold(ctx, client, "tidying up")
	if err == nil {
		release()
	}
	return err
}
