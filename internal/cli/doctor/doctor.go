package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

type doctorOptions struct {
	*cli.Deps
	ids []string

	list, fix, yes, dryRun      bool
	allowRestart, allowDataLoss bool
	explain, undo, filename     string
	from                        string
	wait, rollout               time.Duration
	failOn, output, mpi, mesh   string
	suppress                    []string
	mirror, dexPassword         string
	skipVerify                  bool
	partial                     *doctor.Report // how far a fix came that was cut off
	printed                     bool           // the one document is out
	checks                      []*doctor.Check
	settings                    doctor.Options
}

// NewCommand returns the command "kubectl kubeflow doctor".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &doctorOptions{Deps: d}
	cmd := &cobra.Command{
		Use:   "doctor [ID...]",
		Short: "Find what is wrong with Kubeflow on this cluster, and cure it",
		Long: `Looks at the Kubeflow on the cluster of the current context (or at manifests,
with -f, or at a saved bundle, with --from), says what is wrong, on which
object, what that does to you and why it came about. It changes nothing unless
asked with --fix, and what it changed can be taken back with --undo.`,
		Example: `  kubectl kubeflow doctor                          # what is wrong, and why
  kubectl kubeflow doctor --fix --dry-run          # what would be changed
  kubectl kubeflow doctor --fix --allow-restart    # cure it, after one question
  kubectl kubeflow doctor --undo                   # put back what that changed`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.ids = args
			err := o.complete()
			if err == nil {
				err = run(cmd.Context(), o)
			}
			return o.document(err)
		},
	}
	o.addFlags(cmd)
	cli.GroupFlags(cmd,
		cli.FlagGroup{Title: "What to look at", Flags: []string{"filename", "from", "suppress", "wait"}},
		cli.FlagGroup{Title: "Cure", Flags: []string{"fix", "yes", "dry-run", "allow-restart", "allow-data-loss", "rollout-timeout", "dex-password", "mpi", "mesh", "mirror", "skip-verify"}},
		cli.FlagGroup{Title: "Take back", Flags: []string{"undo"}},
		cli.FlagGroup{Title: "Know more", Flags: []string{"list", "explain"}},
	)
	completeDoctor(d, cmd)
	return cmd
}

func (o *doctorOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.fix, "fix", false, "cure what can be cured safely, after showing it and asking once")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&o.allowRestart, "allow-restart", false, "allow fixes that restart pods")
	f.BoolVar(&o.allowDataLoss, "allow-data-loss", false, "allow fixes that delete what cannot be put back")
	f.BoolVar(&o.dryRun, "dry-run", false, "with --fix: show the diff of each fix, change nothing")
	f.StringVar(&o.undo, "undo", "", "put back what a fix changed: the last run, or `RUN`; with --list: show the runs")
	f.Lookup("undo").NoOptDefVal = lastRun
	f.StringVarP(&o.filename, "filename", "f", "", "look at manifests instead of a cluster: a `FILE`, folder or URL")
	f.StringVar(&o.from, "from", "", "look at a saved bundle instead of a cluster: a `FILE` that kubectl kubeflow bundle wrote")
	f.BoolVar(&o.list, "list", false, "list the checks")
	f.StringVar(&o.explain, "explain", "", "say what the check `ID` is about and what its fix does")
	f.DurationVar(&o.wait, "wait", 0, "keep looking until all is well, for this `DURATION` at most")
	f.DurationVar(&o.rollout, "rollout-timeout", 5*time.Minute, "the `DURATION` that restarted workloads may take to be ready")
	failOn.Add(cmd, f, &o.failOn, "", "exit with 3 for findings of this `SEVERITY` and worse: %s")
	f.StringSliceVar(&o.suppress, "suppress", nil, "do not mention findings: `ID[=KIND/NAMESPACE/NAME]`; an annotation on the object does so for everybody: kubeflow.org/doctor-suppress=ID")
	f.StringVar(&o.mpi, "mpi", "", "with `VERSION` v2beta1: replace the MPI operator by a newer one instead of pinning the old one")
	f.StringVar(&o.mesh, "mesh", "", "with `MODE` disable: switch mutual TLS off where servers lack sidecars, instead of giving them one")
	f.StringVar(&o.dexPassword, "dex-password", "", "with --fix: the new password of user@example.com, in a `FILE`, or \"-\" for standard input")
	f.StringVar(&o.mirror, "mirror", "", "where --mpi=v2beta1 takes its archive from: a `FOLDER|URL`")
	f.BoolVar(&o.skipVerify, "skip-verify", false, "do not compare the archive with its pinned hash")
	doctorOutput.Add(cmd, f, &o.output, "o", "print the report as `FORMAT`: %s")
}

var (
	doctorOutput = cli.Outputs("table", "table", "wide", "short", "json", "yaml", "markdown", "junit", "sarif")
	failOn       = cli.Choice{Flag: "fail-on", Def: string(doctor.Error), Values: []string{string(doctor.Error), string(doctor.Warning), string(doctor.Info)}}
	mpi          = cli.Choice{Flag: "mpi", Values: []string{"v2beta1"}}
	mesh         = cli.Choice{Flag: "mesh", Values: []string{"disable"}}
)

// complete checks what was typed and chooses the checks.
func (o *doctorOptions) complete() error {
	if err := cmp.Or(doctorOutput.Check(o.output), failOn.Check(o.failOn), mpi.Check(o.mpi), mesh.Check(o.mesh)); err != nil {
		return err
	}
	if err := o.contradictions(); err != nil {
		return err
	}
	o.settings.Settings = doctor.Settings{MPI: o.mpi, Mesh: o.mesh, Named: len(o.ids) > 0, NewSecret: kubeflow.NewSecret}
	if err := o.readPassword(); err != nil {
		return err
	}
	ignored, err := kubeflow.ParseSuppressions(o.suppress)
	if err != nil {
		return err
	}
	o.settings.Suppress = ignored
	o.nameRun()
	o.checks, err = findChecks(o.ids...)
	return err
}

// nameRun lets the name of a run stand after --undo without a "=", and --list with --undo list the runs.
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

func (o *doctorOptions) contradictions() error {
	switch {
	case o.filename != "" && (o.fix || o.undo != ""):
		return &problem.Error{Usage: true, What: "manifests are looked at, not changed: -f does not go with --fix or --undo", Next: "install adapts them by itself: kubectl kubeflow install -f " + o.filename}
	case o.from != "" && (o.fix || o.undo != ""):
		return &problem.Error{Usage: true, What: "a bundle is looked at, not changed: --from does not go with --fix or --undo", Next: "Run doctor --fix against the cluster that it was taken of"}
	case o.from != "" && o.filename != "":
		return &problem.Error{Usage: true, What: "-f and --from name two things to look at", Next: "Name one of them"}
	case o.dexPassword != "" && !o.fix:
		return &problem.Error{Usage: true, What: "--dex-password is for --fix", Next: "Type: kubectl kubeflow doctor auth/password --fix --allow-restart --dex-password FILE"}
	case o.fix && o.undo != "":
		return &problem.Error{Usage: true, What: "--fix and --undo contradict each other", Next: "Name one of them"}
	case o.dryRun && !o.fix:
		return &problem.Error{Usage: true, What: "--dry-run shows what --fix would do", Next: "Type: kubectl kubeflow doctor --fix --dry-run"}
	}
	return nil
}

func findChecks(ids ...string) ([]*doctor.Check, error) {
	found, err := checks.Find(ids...)
	var unknown *checks.UnknownIDError
	if errors.As(err, &unknown) {
		next := "See the checks with: kubectl kubeflow doctor --list"
		if unknown.Near != "" {
			next = fmt.Sprintf("Did you mean: kubectl kubeflow doctor %s?", unknown.Near)
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
	}
	in, err := o.input(ctx)
	if err != nil {
		return err
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
