package kubeflow

import (
	"context"
	"slices"
	"time"

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
}

// Settle fixes what an install left behind, restarts included, and runs all checks of the doctor, so that an install ends healthy or says that
// it does not. The fixes are recorded, and undone with doctor --undo like any other. The report has the result of each.
func (p *InstallPlan) Settle(ctx context.Context, o SettleOptions) (*doctor.Report, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	var fixed []doctor.FixResult
	if p.leavesBehind() {
		report, err := p.fixLeftBehind(ctx, o)
		if err != nil {
			return nil, err
		}
		fixed = report.Fixes
	}
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

// leavesBehind reports whether objects existed before: only then can something of theirs be left.
func (p *InstallPlan) leavesBehind() bool { return !p.FirstInstall() }

func (p *InstallPlan) fixLeftBehind(ctx context.Context, o SettleOptions) (*doctor.Report, error) {
	chosen := slices.DeleteFunc(checks.All(), func(c *doctor.Check) bool { return !slices.Contains(leftByInstall, c.ID) })
	return Fix(ctx, p.client, Options{
		Options: fixes.Options{
			Options: doctor.Options{Suppress: o.Suppress}, Allow: []doctor.Impact{doctor.RestartsPods}, Wait: o.Timeout, Now: o.Now, Progress: o.Progress,
			Confirm: func(context.Context, doctor.FixPlan) (bool, error) { return true, nil }, // as a part of the install's own question
		},
		Checks: chosen,
	})
}

// Complete reports whether the plan is all of a known release: only that is a Kubeflow whose health the checks know.
func (p *InstallPlan) Complete() bool { return p.Release != "" && !p.Request.Partial }
