package kubeflow

import (
	"context"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// Options say what may be fixed. Settings.MPI renders the newer MPI operator, from Render's mirror.
type Options struct {
	fixes.Options
	Checks []*doctor.Check // nil is all
	Render release.RenderOptions
	Notify Notify
}

// mpiOperator is the hidden release that holds the operator of kubeflow.org/v2beta1.
const mpiOperator = "mpi-operator-0.8.0"

// Fix diagnoses a cluster, fixes what is allowed, and diagnoses it again: see [doctor.Apply]. Each round's fixes are shown
// to Confirm as they are made. [doctor.Undo] reverts the run that the report names. The report is nil when nothing was begun.
func Fix(ctx context.Context, client *cluster.Client, o Options) (*doctor.Report, error) {
	in, err := FromCluster(ctx, client)
	if err != nil {
		return nil, err
	}
	o.Release, o.Inspect = in.Release, in.inspect
	if o.Checks == nil {
		o.Checks = checks.In("", checks.All())
	}
	if o.NewSecret == nil {
		o.NewSecret = signin.NewSecret
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MPI != "" && o.MPIOperator == nil {
		rendered, err := Render(ctx, release.Input{Release: mpiOperator}, o.Render, o.Notify)
		if err != nil {
			return nil, err
		}
		o.MPIOperator = rendered.Objects()
	}
	o.Notify.say("context %s at %s", client.Context, client.Server())
	report, err := fixes.Apply(ctx, client, o.Checks, o.Options)
	in.head(report)
	return report, err
}

// ParseSuppressions reads findings that are not to be mentioned, as --suppress names them.
func ParseSuppressions(texts []string) ([]doctor.Suppression, error) {
	var all []doctor.Suppression
	for _, text := range texts {
		s, err := doctor.ParseSuppression(text)
		if err == nil {
			_, err = checks.Find(s.Check)
		}
		if err != nil {
			return nil, &problem.Error{Usage: true, What: "--suppress: " + err.Error(), Next: "See the checks with: kubectl kubeflow doctor --list"}
		}
		all = append(all, s)
	}
	return all, nil
}
