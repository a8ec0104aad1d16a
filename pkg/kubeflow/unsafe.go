package kubeflow

import (
	"context"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
)

// An UnsafeError refuses a public address: nobody is asked who they are, or with a password that everybody knows. It is a
// [UsageError] as well.
type UnsafeError struct {
	*UsageError
	Unauthenticated bool // else the password and secrets are those that every Kubeflow comes with
}

// Unwrap returns the UsageError.
func (e *UnsafeError) Unwrap() error { return e.UsageError }

// judge refuses a plan that makes the dashboard public in an unsafe way; nil when it does not.
func (o ExposeOptions) judge(ctx context.Context, view cluster.View, t expose.Target, plan loadbalancer.Plan) (*UnsafeError, error) {
	switch {
	case len(plan.All()) == 0 || plan.Reach != dashboard.Public:
		return nil, nil
	case plan.Unsafe(t) && !o.AllowUnauthenticated:
		return unauthenticated(t), nil
	case t.Authentication.Proven && !o.AllowDefaultCredentials:
		return defaultCredentials(ctx, view)
	}
	return nil, nil
}

// unauthenticated says why nothing is made public, and what to do instead.
func unauthenticated(t expose.Target) *UnsafeError {
	return &UnsafeError{Unauthenticated: true, UsageError: &UsageError{
		What: fmt.Sprintf("not made public: anybody on the internet could run programs on this cluster, for %s", t.Authentication.Reason),
		Next: "Limit who may connect with --source-ranges CIDR,... or stay inside the virtual network with --internal; --allow-unauthenticated makes it public all the same",
	}}
}

// defaultCredentials says why a dashboard whose password and secrets everybody knows is not made public; nil where that is no
// reason. What cannot be read is taken to be as it comes: that is the safe side.
func defaultCredentials(ctx context.Context, view cluster.View) (*UnsafeError, error) {
	known, err := checks.Find("auth/password", "auth/secrets")
	if err != nil {
		return nil, err
	}
	var why []string
	for _, check := range doctor.Diagnose(ctx, view, known, doctor.Options{}).Checks {
		for _, f := range check.Findings {
			if f.Command != "" { // the others are not about who may come in
				why = append(why, f.Message)
			}
		}
		if check.Status == doctor.Unknown {
			why = append(why, "whether its password and secrets are those of every Kubeflow cannot be seen ("+check.Reason+")")
		}
	}
	if len(why) == 0 {
		return nil, nil
	}
	return &UnsafeError{UsageError: &UsageError{
		What: "not made public: " + strings.Join(why, "; "),
		Next: "Change them with: kubectl kubeflow doctor auth --fix --allow-restart --dex-password FILE\nor limit who may connect with --source-ranges CIDR,... or --internal; --allow-default-credentials makes it public all the same",
	}}, nil
}
