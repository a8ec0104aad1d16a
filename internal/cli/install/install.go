package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

type installOptions struct {
	*cli.Deps
	release, file, name string
	only, skip          []string
	mirror              string
	skipVerify          bool
	adaptFlags
	preflightFlags
	dryRun    string
	diff      bool
	output    string
	wait, yes bool
	timeout   time.Duration
	dirs      []string
	leave     leave

	given func(flag string) bool // whether it was typed
	told  bool                   // the document that -o asks for is printed
	times *times                 // what the components took
}

const installLong = `Puts Kubeflow on the cluster of the current context.

It renders the release's manifests, adapts them to the cluster (on AKS what
would not work there is mended before it is applied), orders them by what each
object really waits for, applies them side by side, and waits until everything
is ready. Run it again to finish an install that was cut off, or to update one:
what is as wanted already is not written again.`

const installExample = `  kubectl kubeflow install                        # the newest that suits
  kubectl kubeflow install --release 26.03        # this one
  kubectl kubeflow install -f kfctl_k8s_istio.v1.2.0.yaml # what a KfDef says
  kubectl kubeflow install --dry-run=client -o yaml       # what is applied
  kubectl kubeflow install --diff                 # what would change`

var (
	installOutput = cli.Outputs("", "yaml", "json (and on stderr one JSON event a line)", "name")
	installDryRun = cli.DryRuns("show the plan", "ask the server about each object")
	installAdapt  = cli.Choice{Flag: "adapt", Def: "auto", Values: []string{"auto (when the cluster is AKS)", "aks", "none"}}
)

// NewCommand returns the command "kubectl kubeflow install".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &installOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "install", Short: "Install Kubeflow, finish an install, or update it", Long: installLong, Example: installExample,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.given = cmd.Flags().Changed
			if err := o.validate(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.release, "release", "r", "", "the Kubeflow `VERSION` to install (default the newest that supports this cluster)")
	f.StringVarP(&o.file, "filename", "f", "", "install a KfDef, a kustomization folder or rendered YAML instead: a `FILE`, a folder, a URL, or - for standard input")
	f.StringArrayVar(&o.dirs, "dir", nil, "install what is built into this application `DIR` (see build), or what kfctl left in it; may be given several times")
	f.StringVar(&o.name, "name", "", "the `NAME` that the record of this installation is kept under (default kubeflow)")
	f.StringSliceVar(&o.only, "component", nil, "install these `COMPONENTS` alone")
	f.StringSliceVar(&o.skip, "skip", nil, "leave these `COMPONENTS` out")
	f.StringVar(&o.mirror, "mirror", "", "take archives from this `FOLDER|URL` instead of the internet: below it come the archive's host and path")
	f.BoolVar(&o.skipVerify, "skip-verify", false, "do not compare archives with their pinned hashes")
	o.adaptFlags.add(cmd, f)
	o.preflightFlags.add(f)
	installDryRun.Add(cmd, f, &o.dryRun, "", "change nothing; `MODE` is %s")
	f.BoolVar(&o.diff, "diff", false, "show what would change, and change nothing; exit code 3 when something would")
	installOutput.Add(cmd, f, &o.output, "o", "print the result as `FORMAT`: %s")
	f.BoolVar(&o.wait, "wait", true, "wait until everything is ready")
	f.DurationVar(&o.timeout, "timeout", 30*time.Minute, "give up after this `DURATION`")
	o.leave.flags(f)
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	cli.GroupFlags(cmd,
		cli.FlagGroup{Title: "What to install", Flags: []string{"release", "filename", "dir", "component", "skip", "name"}},
		cli.FlagGroup{Title: "Where it comes from", Flags: []string{"mirror", "skip-verify", "image"}},
		cli.FlagGroup{Title: "What is mended on the way", Flags: []string{"adapt", "gpu-tolerations"}},
		cli.FlagGroup{Title: "Look first", Flags: []string{"dry-run", "diff"}},
		cli.FlagGroup{Title: "What is in the way", Flags: []string{"suppress", "adopt", "recreate", "allow-downgrade"}},
	)
	cli.CompleteSource(cmd)
	cli.Complete(cmd, "dir", cli.Folders)
	return cmd
}

func (o *installOptions) validate() error {
	switch {
	case o.release != "" && o.file != "":
		return &problem.Error{Usage: true, What: "--release and --filename exclude each other", Next: "Name a release, or a file"}
	case o.timeout <= 0:
		return &problem.Error{Usage: true, What: "--timeout must be longer than nothing", Next: "For example: --timeout 30m"}
	}
	return cmp.Or(cli.CheckName(o.name), installDryRun.Check(o.dryRun), installOutput.Check(o.output), o.adaptFlags.validate(), o.preflightFlags.validate())
}

// run installs. What asks for a document gets one, also where the install did not come far enough to have a result.
func run(ctx context.Context, o *installOptions) error {
	if o.output == "json" && o.dryRun == "none" && !o.diff {
		o.ErrOut = cli.NewEventStream(o.ErrOut, o.Now)
	}
	err := o.install(ctx)
	if err != nil && !o.told && (o.output == "json" || o.output == "yaml") {
		doc := installResult{APIVersion: cli.ResultVersion, Kind: "Result", Name: o.name, Release: o.release, Status: "failed", Error: err.Error()}
		return errors.Join(cli.PrintDocument(o.Out, o.output, doc), err)
	}
	return err
}

// install prepares, shows, asks, applies and waits.
func (o *installOptions) install(ctx context.Context) error {
	began := o.Now()
	client, err := o.Connect()
	if err != nil {
		return err
	}
	plan, err := kubeflow.PrepareInstall(ctx, client, o.wanted())
	if err != nil {
		return err
	}
	o.name = plan.Name
	switch {
	case o.dryRun == string(kubeflow.DryRunClient) && !o.diff:
		return o.showPlan(plan)
	case plan.Refused != nil:
		return o.finish(client, plan, nil, began, inTheWay(plan.Refused))
	case o.diff || o.dryRun == string(kubeflow.DryRunServer):
		o.sayAdapted(plan)
		return o.showVerdicts(ctx, client, plan)
	}
	back, err := o.agree(ctx, client, plan)
	if err != nil {
		return err
	}
	result, err := o.apply(ctx, client, plan, back)
	return o.finish(client, plan, result, began, err)
}

// wanted is what the flags say. A flag that was not typed leaves what a directory's configuration says.
func (o *installOptions) wanted() kubeflow.InstallOptions {
	wanted := kubeflow.InstallOptions{
		Source: kubeflow.Source{
			Release: o.release, File: o.file, Dirs: o.dirs, Stdin: o.In, Name: o.name, Only: o.only, Skip: o.skip,
			Mirror: o.mirror, SkipVerify: o.skipVerify,
		},
		Namespace: *o.Flags.Namespace, Images: o.rules, GPUTolerations: o.gpuTolerations,
		Suppress: o.ignored, Adopt: o.adopt, Recreate: o.leave.recreate,
		DryRun: kubeflow.DryRun(o.dryRun), Notify: o.Notify,
	}
	if o.given("adapt") {
		wanted.Adapt = o.adapt
	}
	if o.diff {
		wanted.DryRun = kubeflow.DryRunServer
	}
	return wanted
}

// apply carries the plan out and shows how it goes.
func (o *installOptions) apply(ctx context.Context, client *cluster.Client, plan *kubeflow.InstallPlan, back bool) (*apply.Result, error) {
	o.Started(plan.Release, client.Context, len(plan.Objects))
	observe := func(events.Event) {}
	if stream, ok := o.ErrOut.(*cli.EventStream); ok {
		observe = stream.Observe
	} else {
		progress := ui.NewProgress(o.Screen(), plan.Stages(), len(plan.Objects), o.Now)
		defer progress.Close()
		observe = progress.Observe
	}
	o.times = newTimes(o.Now)
	return plan.Apply(ctx, kubeflow.InstallApplyOptions{AllowDowngrade: back, Timeout: o.timeout, NoWait: !o.wait, Observe: func(e events.Event) {
		o.times.observe(e)
		observe(e)
	}})
}

// agree says what is about to change where, and asks. back tells that the user agreed to an older release.
func (o *installOptions) agree(ctx context.Context, client *cluster.Client, plan *kubeflow.InstallPlan) (back bool, err error) {
	where := fmt.Sprintf("context %s (%s)", client.Context, client.Server())
	if client.Context == "" {
		where = client.Server()
	}
	o.Screen().Say("Installing %s on %s", plan.Title, where)
	o.sayPlan(plan)
	o.sayAdapted(plan)
	for _, cycle := range plan.Cycles {
		o.Screen().Say("Note: %s would wait for each other; they are applied without waiting", text.Names(cycle.Objects, 5, cluster.Ref.String))
	}
	return o.consent(ctx, plan, fmt.Sprintf("Install %s on %s?", plan.Title, cmp.Or(client.Context, client.Server())))
}
