package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

type doctorOptions struct {
	*cli.Deps
	preflightOptions
	ids []string

	list, fix, yes              bool
	dryRun                      cli.DryRun
	watch                       bool
	interval                    time.Duration
	allowRestart, allowDataLoss bool
	explain, undo, filename     string
	from                        string
	wait, rollout               time.Duration
	failOn, output, mpi, mesh   string
	suppress                    []string
	mirror, dexPassword         string
	restrictor                  string
	skipVerify                  bool
	agreed                      bool           // to a fix
	partial                     *doctor.Report // of a fix that was interrupted
	printed                     bool           // the -o document is written
	checks                      []*doctor.Check
	settings                    doctor.Options
}

// NewCommand returns the command "kubectl kubeflow doctor".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &doctorOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "doctor [ID...]", SuggestFor: []string{"check", "diagnose", "analyze", "health"},
		Short: "Diagnose Kubeflow on a cluster and fix problems",
		Long: `Diagnose Kubeflow on the cluster of the current context, in manifests (-f) or in
a support bundle (--from). Each problem is reported with the affected object,
its impact, its cause and a fix.

With -n and the namespace of a team, it diagnoses what is in that namespace, and
needs no more than the permissions of its users: what is stuck and why, what you
can do, and what only an administrator can.

doctor is read-only unless you pass --fix. --fix shows each change first and
asks for confirmation, and --undo reverts the changes.

--preflight checks a cluster before an install: APIs, permissions, capacity,
pod slots, storage, policies, quotas and conflicts, as install does.`,
		Example: `  kubectl kubeflow doctor                          # diagnose the cluster
  kubectl kubeflow doctor -n team-a                # diagnose one namespace
  kubectl kubeflow doctor --fix --dry-run          # preview the fixes
  kubectl kubeflow doctor --fix --allow-restart    # fix, after confirmation
  kubectl kubeflow doctor --undo                   # revert the last fix
  kubectl kubeflow doctor --preflight -r 26.03     # check before an install`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.ids = args
			err := o.complete(cmd.Context())
			if err == nil {
				err = run(cmd.Context(), o)
			}
			return o.document(err)
		},
	}
	o.addFlags(cmd)
	cli.GroupFlags(cmd,
		cli.FlagGroup{Title: "Input and scope", Flags: []string{"filename", "load-restrictor", "from", "suppress", "wait", "watch", "interval"}},
		cli.FlagGroup{Title: "Before an install", Flags: []string{"preflight", "release", "skip"}},
		cli.FlagGroup{Title: "Fixes", Flags: []string{"fix", "yes", "dry-run", "allow-restart", "allow-data-loss", "rollout-timeout", "dex-password", "mpi", "mesh", "mirror", "skip-verify"}},
		cli.FlagGroup{Title: "Undo", Flags: []string{"undo"}},
		cli.FlagGroup{Title: "Checks", Flags: []string{"list", "explain"}},
	)
	completeDoctor(d, cmd)
	return cmd
}

func (o *doctorOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	o.preflightOptions.add(cmd, f)
	f.BoolVar(&o.fix, "fix", false, "apply safe fixes, after showing them and asking for confirmation")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	f.BoolVar(&o.allowRestart, "allow-restart", false, "allow fixes that restart pods")
	f.BoolVar(&o.allowDataLoss, "allow-data-loss", false, "allow fixes that delete data that cannot be restored")
	cli.AddDryRun(cmd, f, &o.dryRun, "with --fix or --undo: show the diff of each change without changing anything; `MODE` is client or server, which are the same here")
	f.StringVar(&o.undo, "undo", "", "revert the changes of the last run of --fix, or of `RUN`; with --list: list the runs")
	f.Lookup("undo").NoOptDefVal = lastRun
	f.StringVarP(&o.filename, "filename", "f", "", "diagnose manifests instead of a cluster: a `FILE`, folder or URL")
	f.StringVar(&o.from, "from", "", "diagnose a support bundle instead of a cluster: a `FILE` written by kubectl kubeflow bundle")
	f.BoolVar(&o.list, "list", false, "list the checks")
	f.StringVar(&o.explain, "explain", "", "explain the check `ID` and its fix")
	f.DurationVar(&o.wait, "wait", 0, "repeat until there are no findings, for at most this `DURATION`")
	f.DurationVar(&o.rollout, "rollout-timeout", 5*time.Minute, "how long to wait for restarted workloads to become ready, as a `DURATION`")
	f.BoolVarP(&o.watch, "watch", "w", false, "repeat the diagnosis until Ctrl-C and print what changed; with -o json one document per line")
	f.DurationVar(&o.interval, "interval", 30*time.Second, "with --watch: how long to wait between two diagnoses, as a `DURATION`")
	failOn.Add(cmd, f, &o.failOn, "", "exit with code 3 if there are findings of this `SEVERITY` or higher: %s")
	f.StringSliceVar(&o.suppress, "suppress", nil, "suppress findings: `ID[=KIND/NAMESPACE/NAME]`; to suppress them for all users, annotate the object: kubeflow.org/doctor-suppress=ID")
	f.StringVar(&o.mpi, "mpi", "", "with `VERSION` v2beta1: upgrade the MPI operator instead of pinning the current version")
	f.StringVar(&o.mesh, "mesh", "", "with `MODE` disable: disable mutual TLS for servers without a sidecar instead of injecting one")
	f.StringVar(&o.dexPassword, "dex-password", "", "with --fix: read the new password of user@example.com from `FILE`, or \"-\" for standard input")
	f.StringVar(&o.mirror, "mirror", "", "read the archive of --mpi=v2beta1 from this `FOLDER|URL`")
	cli.LoadRestrictor.Add(cmd, f, &o.restrictor, "", cli.LoadRestrictorUsage)
	f.BoolVar(&o.skipVerify, "skip-verify", false, "do not verify the pinned hash of the archive")
	doctorOutput.Add(cmd, f, &o.output, "o", "print the report as `FORMAT`: %s")
}

var (
	doctorOutput = cli.Outputs("table", "table", "wide", "short", "json", "yaml", "markdown", "junit", "sarif", "prometheus")
	failOn       = cli.Choice{Flag: "fail-on", Def: string(doctor.Error), Values: []string{string(doctor.Error), string(doctor.Warning), string(doctor.Info)}}
	mpi          = cli.Choice{Flag: "mpi", Values: []string{"v2beta1"}}
	mesh         = cli.Choice{Flag: "mesh", Values: []string{"disable"}}
)

// complete validates the flags and selects the checks.
func (o *doctorOptions) complete(ctx context.Context) error {
	if err := cmp.Or(doctorOutput.Check(o.output), failOn.Check(o.failOn), mpi.Check(o.mpi), mesh.Check(o.mesh), cli.LoadRestrictor.Check(o.restrictor)); err != nil {
		return err
	}
	if err := cmp.Or(o.conflicts(), o.watchConflicts()); err != nil {
		return err
	}
	o.settings.Settings = doctor.Settings{MPI: o.mpi, Mesh: o.mesh, Named: len(o.ids) > 0, NewSecret: signin.NewSecret}
	if err := o.readPassword(ctx); err != nil {
		return err
	}
	suppressions, err := kubeflow.ParseSuppressions(o.suppress)
	if err != nil {
		return err
	}
	o.settings.Suppress = suppressions
	o.nameRun()
	if o.checks, err = findChecks(o.ids...); o.preflight {
		o.checks, err = o.selectChecks(o.ids)
	}
	if err != nil || o.preflight || o.list || o.explain != "" || o.undo != "" {
		return err
	}
	return o.limitChecks()
}

// limitChecks leaves out what is not part of the diagnosis. An ID whose check needs more than the namespace of -n is an error.
func (o *doctorOptions) limitChecks() error {
	chosen := checks.In(o.namespace(), o.checks)
	if len(o.ids) > 0 && len(chosen) == 0 {
		return o.outsideError()
	}
	o.checks = chosen
	return nil
}

func (o *doctorOptions) outsideError() error {
	if o.namespace() == "" {
		return &problem.Error{Usage: true, What: o.ids[0] + " is about one namespace", Next: "Select it: kubectl kubeflow doctor -n NAMESPACE " + escape.Word(o.ids[0])}
	}
	return &problem.Error{Usage: true, What: o.ids[0] + " needs permissions on the whole cluster", Next: "Leave -n out: kubectl kubeflow doctor " + escape.Word(o.ids[0])}
}

// nameRun accepts the name of a run after --undo without "=", and makes --undo --list list the runs.
func (o *doctorOptions) nameRun() {
	if o.undo == "" {
		return
	}
	if o.undo == lastRun && len(o.ids) == 1 {
		o.undo, o.ids = o.ids[0], nil
	}
	if o.list {
		o.undo = listRuns
	}
}

func (o *doctorOptions) conflicts() error {
	switch {
	case o.filename != "" && (o.fix || o.undo != ""):
		return &problem.Error{Usage: true, What: "-f cannot be used with --fix or --undo", Next: "install patches manifests automatically: kubectl kubeflow install -f " + escape.Word(o.filename)}
	case o.from != "" && (o.fix || o.undo != ""):
		return &problem.Error{Usage: true, What: "--from cannot be used with --fix or --undo", Next: "Run doctor --fix against the cluster that the bundle was taken from"}
	case o.from != "" && o.filename != "":
		return &problem.Error{Usage: true, What: "-f and --from are mutually exclusive", Next: "Specify one of them"}
	case o.dexPassword != "" && !o.fix:
		return &problem.Error{Usage: true, What: "--dex-password requires --fix", Next: "For example: kubectl kubeflow doctor auth/password --fix --allow-restart --dex-password FILE"}
	case o.namespace() != "" && (o.fix || o.undo != ""):
		return &problem.Error{Usage: true, What: "-n cannot be used with --fix or --undo: fixes are recorded where only administrators can write", Next: "Follow the advice of the findings, or leave -n out if you are an administrator"}
	case o.namespace() != "" && (o.filename != "" || o.from != ""):
		return &problem.Error{Usage: true, What: "-n cannot be used with -f or --from", Next: "Leave one of them out"}
	case o.fix && o.undo != "":
		return &problem.Error{Usage: true, What: "--fix and --undo are mutually exclusive", Next: "Specify one of them"}
	case bool(o.dryRun) && !o.fix && o.undo == "":
		return &problem.Error{Usage: true, What: "--dry-run requires --fix or --undo", Next: "For example: kubectl kubeflow doctor --fix --dry-run"}
	}
	return o.preflightOptions.conflicts(o)
}

func findChecks(ids ...string) ([]*doctor.Check, error) {
	found, err := checks.Find(ids...)
	var unknown *checks.UnknownIDError
	if errors.As(err, &unknown) {
		next := "List the checks with: kubectl kubeflow doctor --list"
		if unknown.Near != "" {
			next = fmt.Sprintf("Did you mean: kubectl kubeflow doctor %s?", escape.Word(unknown.Near))
		}
		return nil, &problem.Error{Usage: true, What: unknown.Error(), Next: next}
	}
	return found, err
}

func run(ctx context.Context, o *doctorOptions) error {
	switch {
	case o.list && o.undo == "":
		return o.showList()
	case o.explain != "":
		return o.showCheck(o.explain)
	case o.undo != "":
		return runUndo(ctx, o)
	case o.fix:
		return runFix(ctx, o)
	case o.preflight:
		return runPreflight(ctx, o)
	}
	in, err := o.input(ctx)
	if err != nil {
		return err
	}
	if o.watch {
		return o.watchAgain(ctx, in)
	}
	report, err := kubeflow.Diagnose(ctx, in, kubeflow.DiagnoseOptions{
		Options: o.settings, Checks: o.checks, Until: doctor.Severity(o.failOn), Wait: o.wait, Now: o.Now,
	})
	if err != nil {
		return err
	}
	if err := o.show(report); err != nil {
		return err
	}
	return o.verdict(report)
}
