package kubeflow

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
)

// leftByInstall are the checks of what a take-over or an upgrade itself leaves behind: webhook configurations that AKS's admissions
// enforcer has changed before, and pods that were created without a sidecar, or with that of an older Istio.
var leftByInstall = []string{"platform/admissions-enforcer", "mesh/sidecars", "upgrades/skew"}

// SettleOptions say how an install is brought to its end.
type SettleOptions struct {
	Suppress []doctor.Suppression
	Timeout  time.Duration // for each restarted workload
	Progress func(line string)
	Now      func() time.Time
	// Confirm is asked before something is fixed. Nil is for a caller whose own question has covered it.
	Confirm func(context.Context, doctor.FixPlan) ([]doctor.Proposal, error)
}

// Settle fixes what an install left behind, restarts in the installation's own namespaces included, and runs all checks of the doctor, so that
// an install ends healthy or says that it does not. What users run is never restarted. The fixes are recorded, and undone with doctor --undo
// like any other. The report has the result of each.
func (p *InstallPlan) Settle(ctx context.Context, o SettleOptions) (*doctor.Report, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	var fixed []doctor.FixResult
	if !p.FirstInstall() { // only objects that existed before can have been left behind
		report, err := p.fixLeftBehind(ctx, o)
		if err != nil {
			return nil, err
		}
		fixed = report.Fixes
	}
	p.client.Forget() // the install has added kinds
	in, err := FromCluster(ctx, p.client)
	if err != nil {
		return nil, err
	}
	report, err := Diagnose(ctx, in, DiagnoseOptions{Options: doctor.Options{Suppress: o.Suppress}, Until: doctor.Error, Wait: settleTime, Now: o.Now})
	if err != nil {
		return nil, err
	}
	report.Fixes = fixed
	return report, nil
}

// settleTime is how long what has just become ready may take until the checks find nothing: controllers still write status.
const settleTime = 10 * time.Second

func (p *InstallPlan) fixLeftBehind(ctx context.Context, o SettleOptions) (*doctor.Report, error) {
	if o.Confirm == nil {
		o.Confirm = func(_ context.Context, p doctor.FixPlan) ([]doctor.Proposal, error) { return p.Apply, nil }
	}
	own := map[string]bool{}
	for _, ref := range p.Refs() {
		own[ref.Namespace] = true
	}
	chosen := slices.DeleteFunc(checks.All(), func(c *doctor.Check) bool { return !slices.Contains(leftByInstall, c.ID) })
	return Fix(ctx, p.client, Options{
		Options: fixes.Options{
			Options: doctor.Options{Suppress: o.Suppress}, Allow: []doctor.Impact{doctor.RestartsPods}, Wait: o.Timeout, Now: o.Now, Progress: o.Progress,
			Confirm: o.Confirm, Refuse: func(f doctor.Proposal) string { return restartsOthers(f, own) },
		},
		Checks: chosen,
	})
}

// restartsOthers says why a fix is left to doctor --fix, which names what it restarts: it restarts workloads outside of these namespaces, such
// as Notebooks, whose users lose what they have in memory.
func restartsOthers(f doctor.Proposal, own map[string]bool) string {
	for _, change := range f.Fix.Changes {
		if ref := change.Ref(); change.Verb == cluster.Restart && !own[ref.Namespace] {
			return fmt.Sprintf("it restarts workloads of users in namespace %s", ref.Namespace)
		}
	}
	return ""
}

// Complete reports whether the plan is all of a known release: only that is a Kubeflow whose health the checks know.
func (p *InstallPlan) Complete() bool { return p.Release != "" && !p.Request.Partial }
