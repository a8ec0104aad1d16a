package install

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui/progress"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/verify"
)

type installOptions struct {
	*cli.Deps
	release, file, name string
	only, skip          []string
	mirror, restrictor  string
	skipVerify          bool
	adaptFlags
	preflightFlags
	dryRun    string
	diff      bool
	output    string
	wait, yes bool
	timeout   time.Duration
	dirs      []string
	allow     allowances

	upgrading *kubeflow.UpgradePlan // set by the command upgrade

	changed func(flag string) bool // reports whether the flag was set
	printed bool                   // the -o document is written
	times   *times                 // per component
	report  *doctor.Report         // of the checks at the end

	verify   bool
	verified *verify.Report // of the tests at the end
}

const installLong = `Install Kubeflow on the cluster of the current context, or upgrade it.

The manifests of the release are rendered, patched for the cluster (manifests
that would fail on AKS are fixed first), and applied in parallel, each object as
soon as its dependencies are ready. Blocking problems are reported before
anything is changed. The command returns when everything is ready.

Run it again to resume an interrupted install or to upgrade. Objects that are
already up to date are not written again.

With --dry-run=client and -o, the manifests of the given release, file or
directory are printed without asking a cluster, patched as for AKS.`

const installExample = `  kubectl kubeflow install                        # newest compatible release
  kubectl kubeflow install --release 26.03        # a specific release
  kubectl kubeflow install -f kfctl_k8s_istio.v1.2.0.yaml # from a KfDef
  kubectl kubeflow install -r 26.03 --dry-run=client -o yaml # print manifests
  kubectl kubeflow install --diff                 # preview the changes`

var (
	installOutput = cli.Outputs("", "yaml", "json (with JSON events on stderr)", "name")
	installDryRun = cli.DryRuns("show the plan", "submit server-side dry-run requests")
	installAdapt  = cli.Choice{Flag: "adapt", Def: "auto", Values: []string{"auto (when the cluster is AKS)", "aks", "none"}}
)

// NewCommand returns the command "kubectl kubeflow install".
func NewCommand(d *cli.Deps) *cobra.Command { return newCommand(&installOptions{Deps: d}) }

func newCommand(o *installOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use: "install", SuggestFor: []string{"deploy", "apply", "create"}, Short: "Install Kubeflow, resume an install, or upgrade", Long: installLong, Example: installExample,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.changed = cmd.Flags().Changed
			if err := o.validate(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.release, "release", "r", "", "the Kubeflow `VERSION` to install (default the newest compatible release)")
	f.StringVarP(&o.file, "filename", "f", "", "install a KfDef, a kustomization or rendered YAML instead: a `FILE`, a folder, a URL, or - for standard input")
	f.StringArrayVar(&o.dirs, "dir", nil, "install from this application `DIR`, created by build or by kfctl; can be repeated")
	f.StringVar(&o.name, "name", "", "the `NAME` of this installation (default kubeflow)")
	f.StringSliceVar(&o.only, "component", nil, "install only these `COMPONENTS`")
	f.StringSliceVar(&o.skip, "skip", nil, "do not install these `COMPONENTS`")
	f.StringVar(&o.mirror, "mirror", "", "read archives from this `FOLDER|URL` instead of the internet; it holds each archive at HOST/PATH")
	cli.LoadRestrictor.Add(cmd, f, &o.restrictor, "", cli.LoadRestrictorUsage)
	f.BoolVar(&o.verify, "verify", false, "run the quick tests of \"kubectl kubeflow verify\" at the end")
	f.BoolVar(&o.skipVerify, "skip-verify", false, "do not verify the pinned hashes of archives")
	o.adaptFlags.add(cmd, f)
	o.preflightFlags.add(f)
	installDryRun.Add(cmd, f, &o.dryRun, "", "preview without changing anything; `MODE` is %s")
	f.BoolVar(&o.diff, "diff", false, "show the differences without changing anything; exit code 3 if there are any")
	installOutput.Add(cmd, f, &o.output, "o", "print the result as `FORMAT`: %s")
	f.BoolVar(&o.wait, "wait", true, "wait until everything is ready")
	f.DurationVar(&o.timeout, "timeout", 30*time.Minute, "time out after this `DURATION`")
	o.allow.add(f)
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	cli.GroupFlags(cmd,
		cli.FlagGroup{Title: "What to install", Flags: []string{"release", "filename", "dir", "component", "skip", "name"}},
		cli.FlagGroup{Title: "Sources", Flags: []string{"mirror", "skip-verify", "load-restrictor", "image"}},
		cli.FlagGroup{Title: "Compatibility patches", Flags: []string{"adapt", "gpu-tolerations"}},
		cli.FlagGroup{Title: "Preview", Flags: []string{"dry-run", "diff"}},
		cli.FlagGroup{Title: "Conflicts", Flags: []string{"suppress", "adopt", "recreate", "allow-downgrade"}},
	)
	cli.CompleteSource(cmd)
	cli.Complete(cmd, "dir", cli.Folders)
	return cmd
}

func (o *installOptions) validate() error {
	switch {
	case o.release != "" && o.file != "":
		return &problem.Error{Usage: true, What: "--release and --filename are mutually exclusive", Next: "Specify one of them"}
	case o.timeout <= 0:
		return cli.Positive(o.timeout, "30m")
	case o.verify && !o.wait:
		return &problem.Error{Usage: true, What: "--verify needs --wait: tests run when everything is ready", Next: "Specify one of them"}
	}
	return cmp.Or(cli.CheckName(o.name), installDryRun.Check(o.dryRun), installOutput.Check(o.output), cli.LoadRestrictor.Check(o.restrictor), o.adaptFlags.validate(), o.preflightFlags.validate())
}

// run installs.
func run(ctx context.Context, o *installOptions) error {
	return o.documented(func() error { return o.install(ctx) })
}

// documented runs do, with a stream of events for -o json. With -o json or yaml a document is written even if it failed before it had a
// result.
func (o *installOptions) documented(do func() error) error {
	if o.output == "json" && o.dryRun == "none" && !o.diff {
		o.ErrOut = cli.NewEventStream(o.ErrOut, o.Now)
	}
	err := do()
	if err != nil && !o.printed && (o.output == "json" || o.output == "yaml") {
		doc := installResult{APIVersion: cli.ResultVersion, Kind: "Result", Name: o.name, Release: o.release, Status: "failed", Error: redact.Message(err.Error())}
		return errors.Join(cli.PrintDocument(o.Out, o.output, doc), err)
	}
	return err
}

// install prepares the plan, shows it, asks for confirmation, applies it and waits.
func (o *installOptions) install(ctx context.Context) error {
	if o.needsNoCluster() {
		return o.showManifests(ctx)
	}
	began := o.Now()
	client, err := o.Connect()
	if err != nil {
		return err
	}
	plan, err := kubeflow.PrepareInstall(ctx, client, o.prepareOptions())
	if err != nil {
		return err
	}
	return o.carryOut(ctx, client, plan, began, func(context.Context) error { return nil })
}

// carryOut shows a plan, asks for confirmation, does what comes before it, applies it, and ends with the doctor's verdict.
func (o *installOptions) carryOut(ctx context.Context, client *cluster.Client, plan *kubeflow.InstallPlan, began time.Time, before func(context.Context) error) error {
	o.name = plan.Name
	switch {
	case o.diff || o.dryRun != string(kubeflow.DryRunNone):
		return o.preview(ctx, client, plan)
	case plan.Refused != nil:
		return o.finish(client, plan, nil, began, o.blockingProblems(plan.Refused))
	}
	downgrade, err := o.confirm(ctx, client, plan)
	if err != nil {
		return err
	}
	if err := before(ctx); err != nil {
		return err
	}
	result, err := o.apply(ctx, client, plan, downgrade)
	if err == nil && o.settles(plan, result) {
		o.report, err = plan.Settle(ctx, kubeflow.SettleOptions{
			Suppress: o.suppressions, Timeout: o.timeout, Now: o.Now, Confirm: o.confirmSettling(plan), Progress: func(line string) { o.Screen().Say("%s", line) },
		})
	}
	var failed error
	if err == nil && o.verify {
		o.verified, failed = o.VerifyQuick(ctx, client)
	}
	return errors.Join(o.finish(client, plan, result, began, err), failed)
}

// prepareOptions returns the options that the flags set. A flag that was not set leaves the value of the directory's
// configuration.
func (o *installOptions) prepareOptions() kubeflow.InstallOptions {
	options := kubeflow.InstallOptions{
		Source: kubeflow.Source{
			Release: o.release, File: o.file, Dirs: o.dirs, Stdin: o.In, Name: o.name, Only: o.only, Skip: o.skip,
			Mirror: o.mirror, SkipVerify: o.skipVerify, Unrestricted: cli.Unrestricted(o.restrictor),
		},
		Namespace: *o.Flags.Namespace, Images: o.rules, GPUTolerations: o.gpuTolerations,
		Suppress: o.suppressions, Adopt: o.adopt, Recreate: o.allow.recreate,
		DryRun: kubeflow.DryRun(o.dryRun), Notify: o.Notify,
	}
	if o.changed("adapt") {
		options.Adapt = o.adapt
	}
	if o.diff {
		options.DryRun = kubeflow.DryRunServer
	}
	return options
}

// apply executes the plan and shows its progress.
func (o *installOptions) apply(ctx context.Context, client *cluster.Client, plan *kubeflow.InstallPlan, downgrade bool) (*apply.Result, error) {
	o.Started(plan.Release, client.Context, len(plan.Objects))
	observe := func(events.Event) {}
	if stream, ok := o.ErrOut.(*cli.EventStream); ok {
		observe = stream.Observe
	} else {
		shown := progress.NewInstall(o.Screen(), plan.Stages(), len(plan.Objects), o.Now)
		defer shown.Close()
		observe = shown.Observe
	}
	o.times = newTimes(o.Now)
	return plan.Apply(ctx, kubeflow.InstallApplyOptions{AllowDowngrade: downgrade, Timeout: o.timeout, NoWait: !o.wait, Observe: func(e events.Event) {
		o.times.observe(e)
		observe(e)
	}})
}

// confirm shows what is about to change and asks for confirmation. downgrade reports whether the user agreed to an older
// release.
func (o *installOptions) confirm(ctx context.Context, client *cluster.Client, plan *kubeflow.InstallPlan) (downgrade bool, err error) {
	if plan.Writes() == 0 {
		return o.allow.downgrade, nil
	}
	o.Screen().Say("Installing %s on context %s (%s)", plan.Title, cmp.Or(client.Context, "-"), client.Server())
	o.printPlan(o.ErrOut, plan, whereTo(client))
	o.printAdapted(o.ErrOut, plan)
	for _, cycle := range plan.Cycles {
		o.Screen().Say("Note: %s depend on each other in a cycle; they are applied without waiting", text.Names(cycle.Objects, 5, cluster.Ref.String))
	}
	o.printMoves()
	if !plan.FirstInstall() && plan.Complete() && o.wait && plan.Writes() > 0 {
		o.Screen().Say("Afterwards, webhooks that AKS changed are fixed, and pods of Kubeflow without a sidecar, or with that of an older Istio, are restarted; what users run is not")
	}
	return o.ask(ctx, plan, o.question(plan.Title, whereTo(client)))
}

// whereTo is what messages call the cluster: its context, or in a pod its server.
func whereTo(client *cluster.Client) string { return cmp.Or(client.Context, client.Server()) }
