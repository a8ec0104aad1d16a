package kubeflow

import (
	"context"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/auth"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// An UnsafeError refuses a public address, because requests are not authenticated, or with a default password or secret. It
// wraps a [problem.Error].
type UnsafeError struct {
	Problem         *problem.Error
	Unauthenticated bool // otherwise the password or secrets are the defaults
}

// Error returns what would be unsafe.
func (e *UnsafeError) Error() string { return e.Problem.Error() }

// Unwrap returns the problem.
func (e *UnsafeError) Unwrap() error { return e.Problem }

// judge refuses a plan that makes the dashboard public in an unsafe way; nil when it does not.
func (o ExposeOptions) judge(ctx context.Context, view cluster.View, t expose.Target, plan loadbalancer.Plan) (*UnsafeError, error) {
	switch {
	case plan.Reach != dashboard.Public:
		return nil, nil
	case plan.Unsafe(t) && !o.AllowUnauthenticated:
		return unauthenticated(t, plan), nil
	case len(plan.All()) > 0 && t.Authentication.Proven && !o.AllowDefaultCredentials:
		return defaultCredentials(ctx, view)
	}
	return nil, nil
}

// unauthenticated explains why the dashboard is not made or left public, and what to do instead.
func unauthenticated(t expose.Target, plan loadbalancer.Plan) *UnsafeError {
	what := "not made public: any client on the internet could run containers on this cluster"
	if len(plan.All()) == 0 {
		what = fmt.Sprintf("%s is public already: any client on the internet can run containers on this cluster", plan.Service)
	}
	what += ", because " + t.Authentication.Reason
	if plan.Open != "" {
		what += "; " + plan.Open
	}
	return &UnsafeError{Unauthenticated: true, Problem: &problem.Error{Usage: true, What: what,
		Next: "Limit the clients with --source-ranges CIDR,... or stay inside the virtual network with --internal; --allow-unauthenticated makes it public anyway",
	}}
}

// defaultCredentials refuses a public dashboard with a default password or secret; nil when they were changed. What cannot be
// read counts as the default, to be safe.
func defaultCredentials(ctx context.Context, view cluster.View) (*UnsafeError, error) {
	known, err := checks.Find("auth/password", "auth/secrets")
	if err != nil {
		return nil, err
	}
	var why []string
	for _, check := range doctor.Diagnose(ctx, view, known, doctor.Options{}).Checks {
		for _, f := range check.Findings {
			if auth.AffectsAccess(f) {
				why = append(why, f.Message)
			}
		}
		if check.Status == doctor.Unknown {
			why = append(why, "cannot determine whether the default password and secrets were changed ("+check.Reason+")")
		}
	}
	if len(why) == 0 {
		return nil, nil
	}
	return &UnsafeError{Problem: &problem.Error{Usage: true,
		What: "not made public: " + strings.Join(why, "; "),
		Next: "Change them with: kubectl kubeflow doctor auth --fix --allow-restart --dex-password FILE\nor limit the clients with --source-ranges CIDR,... or --internal; --allow-default-credentials makes it public anyway",
	}}, nil
}
