package preflight

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// dryRunTimeout bounds one dry-run request: a webhook that does not respond must not delay the rest.
const dryRunTimeout = 15 * time.Second

// verdictFor finds out, with a dry run, what the server would do with one object.
func verdictFor(ctx context.Context, client *cluster.Client, view cluster.View, g plan.Gated) (plan.Verdict, error) {
	verdict := plan.Verdict{Ref: g.Ref(), Component: g.Stage, Adopts: g.Adopted}
	if g.Unchanged {
		verdict.Action = plan.Unchanged
		return verdict, nil
	}
	before, err := view.Get(ctx, g.Ref())
	switch {
	case meta.IsNoMatchError(err):
		verdict.Action, verdict.Reason = plan.Unknown, "its kind does not exist yet"
		return verdict, nil
	case apierrors.IsNotFound(err):
		before = nil
	case err != nil:
		return verdict, err
	case before.GetDeletionTimestamp() != nil:
		verdict.Action, verdict.Reason = plan.Unknown, "it is being deleted, and is created again afterwards"
		return verdict, nil
	}
	if before != nil && g.Ref().GroupKind() == kube.CustomResourceDefinitionKind {
		if m := plan.MigrationOf(before, g.Object); m != nil {
			migrationVerdict(&verdict, before, g, m)
			return verdict, nil
		}
	}
	after, err := dryRun(ctx, client, g.Object)
	switch {
	case err == nil && before == nil:
		verdict.Action, verdict.Diff = plan.Create, cluster.Diff(nil, after)
	case err == nil:
		compareVerdict(&verdict, before, after, g)
	case ctx.Err() != nil:
		return verdict, err
	case g.KindChanges && !errors.Is(err, context.DeadlineExceeded) && !cluster.Transient(err) || g.KindChanges && apierrors.IsInternalError(err):
		verdict.Action, verdict.Reason = plan.Unknown, "its CRD changes in the same plan, and the server judges it then"
	case apierrors.IsNotFound(err) && before == nil:
		verdict.Action, verdict.Reason = plan.Unknown, "its namespace or kind does not exist yet"
	case cluster.Transient(err) && g.Guarded, errors.Is(err, context.DeadlineExceeded):
		verdict.Action, verdict.Reason = plan.Unknown, "a webhook for it does not respond"
	case apierrors.IsBadRequest(err) && g.Guarded && before != nil: // the server's answer when a webhook does not support dry runs
		verdict.Action, verdict.Reason = plan.Unknown, "a webhook for it does not support dry runs"
	case apierrors.IsInvalid(err) && before != nil:
		return verdict, verdictForImmutable(&verdict, ctx, client, view, before, g, err)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsForbidden(err), apierrors.IsInternalError(err):
		reject(&verdict, plan.ExplainRejection(g, err))
	default:
		return verdict, err
	}
	return verdict, nil
}

func dryRun(ctx context.Context, client *cluster.Client, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, dryRunTimeout)
	defer cancel()
	return client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: o}, cluster.Options{Manager: inventory.Manager, Force: true, DryRun: true})
}

// migrationVerdict is the verdict on a CRD that the server accepts only after a migration.
func migrationVerdict(v *plan.Verdict, before *unstructured.Unstructured, g plan.Gated, m *plan.Migration) {
	if m.Refusal != "" {
		reject(v, &problem.Error{What: fmt.Sprintf("%s cannot be replaced: %s", g.Ref(), m.Refusal), Next: "Upgrade to a release in between first"})
		return
	}
	after := before.DeepCopy()
	after.Object["spec"] = g.Object.Object["spec"]
	v.Action, v.Reason, v.Migration, v.Diff = plan.Change, m.Describe(), m, cluster.Diff(before, after)
}

func compareVerdict(v *plan.Verdict, before, after *unstructured.Unstructured, g plan.Gated) {
	v.Action = plan.Unchanged
	v.Diff = cluster.Diff(before, after)
	if len(g.PreviousManagers) > 0 && !plan.Retained(g.Ref()) {
		v.Drops = plan.DroppedFields(before.GetManagedFields(), after.GetManagedFields())
	}
	if v.Diff != "" || len(v.Drops) > 0 {
		v.Action = plan.Change
	}
}

func reject(v *plan.Verdict, err error) {
	v.Action, v.Reason = plan.Rejected, redact.Message(err.Error())
	if !errors.As(err, &v.Problem) {
		v.Problem = &problem.Error{What: err.Error(), Err: err}
	}
}

// verdictForImmutable decides about an update that the server rejected as invalid: if it accepts the same object under an unused
// name, then an immutable field of the live object is the cause, and recreating the object helps.
func verdictForImmutable(v *plan.Verdict, ctx context.Context, client *cluster.Client, view cluster.View, before *unstructured.Unstructured, g plan.Gated, cause error) error {
	trial := plan.Normalize(g.Object)
	trial.SetName(dryRunName)
	for _, assigned := range []string{"clusterIP", "clusterIPs", "healthCheckNodePort"} { // only one Service can have each value
		if trial.GetKind() == "Service" {
			unstructured.RemoveNestedField(trial.Object, "spec", assigned)
		}
	}
	for _, port := range kube.Items(trial.Object, "spec", "ports") {
		delete(port, "nodePort")
	}
	after, err := dryRun(ctx, client, trial)
	if err != nil && !plan.Retained(g.Ref()) {
		reject(v, plan.ExplainRejection(plan.Gated{Object: g.Object}, cause)) // the object itself is invalid
		return ctx.Err()
	}
	claims, err := claimsInNamespace(ctx, view, before)
	if err != nil {
		return err
	}
	v.Recreation = recreation(before, g.Object, claims)
	why := rejectionReason(cause)
	if v.Recreation.Refusal != "" {
		v.Action, v.Reason = plan.Rejected, fmt.Sprintf("%s cannot be changed in place: %s; it is not recreated: %s", g.Ref(), why, v.Recreation.Refusal)
		v.Problem = &problem.Error{What: v.Reason, Err: cause, Next: "Keep these fields as they are on the cluster, or migrate its data by hand: kubectl get " + plan.KubectlArgs(g.Ref()) + " -o yaml"}
		return nil
	}
	after.SetName(before.GetName())
	v.Action, v.Reason, v.Diff = plan.Recreate, fmt.Sprintf("%s (%s)", why, v.Recreation.Effect), cluster.Diff(before, after)
	v.Problem = &problem.Error{Err: cause, What: fmt.Sprintf("%s cannot be changed in place: %s (%s)", g.Ref(), why, v.Recreation.Effect)}
	return nil
}

// dryRunName is a name that no object has.
const dryRunName = "kubectl-kubeflow-trial"

// rejectionReason returns the server's reason for a rejection.
func rejectionReason(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return plan.RejectionReason(status.Status())
	}
	return err.Error()
}
