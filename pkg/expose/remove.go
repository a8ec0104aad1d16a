package expose

import (
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/record"
)

// PlanRemoval returns the changes that remove what expose created and revert what it changed.
func PlanRemoval(made Inventory) []cluster.Change {
	addresses := 0
	for _, o := range made.Objects {
		if o.GetKind() == kube.ServiceKind.Kind {
			addresses++
		}
	}
	return slices.Concat(deletions(made.Objects[:addresses]), made.Revert(), deletions(made.Objects[addresses:]))
}

func deletions(objects []*unstructured.Unstructured) []cluster.Change {
	var changes []cluster.Change
	for _, o := range objects {
		changes = append(changes, cluster.Change{Verb: cluster.Delete, Before: o})
	}
	return changes
}

// Revert returns the changes that revert what expose changed on objects of other owners.
func (m Inventory) Revert() []cluster.Change {
	var changes []cluster.Change
	for _, o := range m.Edited {
		changes = append(changes, record.Revert(o))
	}
	for _, w := range m.consumers {
		if change := record.Restart(w, ""); change != nil {
			changes = append(changes, *change)
		}
	}
	return changes
}

// A Removal has the options of Remove.
type Removal struct {
	DryRun  bool                 // the server only checks the changes
	Timeout time.Duration        // how long to wait until Azure has released the addresses; 0 does not wait
	Removed func(cluster.Change) // called for each change that is done; may be nil
}

// Remove applies the changes of PlanRemoval, and deletes Secrets that cert-manager still wrote meanwhile.
// An address that is not released in time is a *problem.Error, with context.DeadlineExceeded in it.
func Remove(ctx context.Context, c *cluster.Client, changes []cluster.Change, o Removal) error {
	if err := removeEach(ctx, c, changes, o.DryRun); err != nil || o.DryRun {
		return err
	}
	deleted := time.Now()
	if err := o.await(ctx, c, changes); err != nil {
		return err
	}
	certified := DeletedCertificates(changes)
	if len(certified) == 0 || AwaitLateSecrets(ctx, deleted) != nil {
		return ctx.Err()
	}
	issued, err := readIssued(ctx, c.View(), certified)
	if err != nil {
		return err
	}
	late := deletions(issued)
	if err := removeEach(ctx, c, late, false); err != nil {
		return err
	}
	return o.await(ctx, c, late)
}

// await waits until the addresses are released, and reports each change that is done.
func (o Removal) await(ctx context.Context, c *cluster.Client, changes []cluster.Change) error {
	if o.Timeout == 0 {
		return nil
	}
	waiting, stop := context.WithTimeout(ctx, o.Timeout)
	defer stop()
	for _, change := range changes {
		if err := awaitGone(waiting, c, change.Ref()); err != nil {
			return err
		}
		if o.Removed != nil {
			o.Removed(change)
		}
	}
	return nil
}

// removeEach applies the changes in their order. Objects that are already deleted are no error.
func removeEach(ctx context.Context, c *cluster.Client, changes []cluster.Change, dryRun bool) error {
	for _, change := range changes {
		err := Apply(ctx, c, []cluster.Change{change}, dryRun)
		if apierrors.IsConflict(err) { // changed meanwhile: keep the other change
			err = removeCurrent(ctx, c, change, dryRun)
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// removeCurrent reverts one change on the object as it is now.
func removeCurrent(ctx context.Context, c *cluster.Client, change cluster.Change, dryRun bool) error {
	made, err := ReadInventory(ctx, c.View())
	if err != nil {
		return err
	}
	for _, now := range PlanRemoval(made) {
		if now.Ref() == change.Ref() {
			return Apply(ctx, c, []cluster.Change{now}, dryRun)
		}
	}
	return nil
}

// lateSecrets is how long the Secret of a deleted Certificate may still be written: cert-manager completes what it started.
const lateSecrets = 3 * time.Second

// AwaitLateSecrets waits until no more Secrets are written for Certificates deleted since then. It returns an error when ctx ends first.
func AwaitLateSecrets(ctx context.Context, since time.Time) error {
	return kube.Sleep(ctx, lateSecrets-time.Since(since))
}

// DeletedCertificates returns the Certificates that changes delete.
func DeletedCertificates(changes []cluster.Change) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	for _, change := range changes {
		if change.Verb == cluster.Delete && change.Before.GetKind() == CertificateKind.Kind {
			found = append(found, change.Before)
		}
	}
	return found
}
