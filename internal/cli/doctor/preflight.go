package doctor

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// preflightOptions say which install is checked.
type preflightOptions struct {
	preflight bool
	release   string
	skip      []string
}

func (p *preflightOptions) add(cmd *cobra.Command, f *pflag.FlagSet) {
	f.BoolVar(&p.preflight, "preflight", false, "check before an install whether the cluster has what it needs; writes nothing")
	f.StringVarP(&p.release, "release", "r", "", "with --preflight: the Kubeflow `VERSION` to install (default the newest compatible release)")
	f.StringSliceVar(&p.skip, "skip", nil, "with --preflight: do not install these `COMPONENTS`")
	cli.Complete(cmd, "release", cli.Fixed(cli.ReleaseNames()...))
}

// conflicts returns the usage error of flags that --preflight excludes or that need it.
func (p *preflightOptions) conflicts(o *doctorOptions) error {
	switch {
	case !p.preflight && (p.release != "" || len(p.skip) > 0):
		return &problem.Error{Usage: true, What: "--release and --skip require --preflight", Next: "For example: kubectl kubeflow doctor --preflight --release 26.03"}
	case !p.preflight:
		return nil
	case o.fix || o.undo != "" || o.from != "" || o.wait > 0:
		return &problem.Error{Usage: true, What: "--preflight cannot be used with --fix, --undo, --from or --wait", Next: "It checks a cluster before an install: kubectl kubeflow doctor --preflight"}
	case p.release != "" && o.filename != "":
		return &problem.Error{Usage: true, What: "--release and --filename are mutually exclusive", Next: "Specify one of them"}
	}
	return nil
}

// selectChecks returns the checks before an install, or those of them that are named.
func (p *preflightOptions) selectChecks(ids []string) ([]*doctor.Check, error) {
	if len(ids) == 0 {
		return checks.Preflight(), nil
	}
	found, err := findChecks(ids...)
	if err != nil {
		return nil, err
	}
	var chosen []*doctor.Check
	for _, c := range found {
		if c.Preflight {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return nil, &problem.Error{Usage: true, What: fmt.Sprintf("%s does not apply before an install", ids[0]), Next: "List the checks that do with: kubectl kubeflow doctor --preflight --list"}
	}
	return chosen, nil
}

// runPreflight checks whether an install could begin, and reports it as a diagnosis.
func runPreflight(ctx context.Context, o *doctorOptions) error {
	client, err := o.Connect()
	if err != nil {
		return err
	}
	report, err := kubeflow.Preflight(ctx, client, kubeflow.InstallOptions{
		Source: kubeflow.Source{
			Release: o.release, File: o.filename, Stdin: o.In, Skip: o.skip,
			Mirror: o.mirror, SkipVerify: o.skipVerify, Unrestricted: cli.Unrestricted(o.restrictor),
		},
		Namespace: *o.Flags.Namespace, Suppress: o.settings.Suppress, Notify: o.Notify,
	}, o.checks)
	if err != nil {
		return err
	}
	if err := o.show(report); err != nil {
		return err
	}
	return o.verdict(report)
}

// nextInstall returns the command that installs what was checked, if nothing blocks it.
func (o *doctorOptions) nextInstall(r *doctor.Report) string {
	if r.Worst().AtLeast(doctor.Error) || len(r.Blind()) > 0 {
		return ""
	}
	args := []string{}
	switch {
	case o.filename != "":
		args = append(args, "-f", o.filename)
	case r.Release.Name != "":
		args = append(args, "--release", r.Release.Name)
	}
	for _, name := range o.skip {
		args = append(args, "--skip", name)
	}
	return "Install with: kubectl kubeflow install " + escape.Words(args...)
}
