package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/appdir"
)

type installOptions struct {
	*deps
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
	kfctl bool                   // one of the directories was made by kfctl
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

func newInstallCommand(d *deps, run func(context.Context, *installOptions) error) *cobra.Command {
	o := &installOptions{deps: d}
	cmd := &cobra.Command{
		Use: "install", Short: "Install Kubeflow, finish an install, or update it", Long: installLong, Example: installExample,
		Args: noArgs,
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
	f.StringArrayVar(&o.dirs, "dir", nil, dirUsage)
	f.StringVar(&o.name, "name", "", "the `NAME` that the record of this installation is kept under (default kubeflow)")
	f.StringSliceVar(&o.only, "component", nil, "install these `COMPONENTS` alone")
	f.StringSliceVar(&o.skip, "skip", nil, "leave these `COMPONENTS` out")
	f.StringVar(&o.mirror, "mirror", "", "take archives from this `FOLDER|URL` instead of the internet: below it come the archive's host and path")
	f.BoolVar(&o.skipVerify, "skip-verify", false, "do not compare archives with their pinned hashes")
	o.adaptFlags.add(f)
	o.preflightFlags.add(f)
	f.StringVar(&o.dryRun, "dry-run", "none", "change nothing; `MODE` is client (show the plan) or server (ask the server about each object)")
	f.BoolVar(&o.diff, "diff", false, "show what would change, and change nothing; exit code 3 when something would")
	f.StringVarP(&o.output, "output", "o", "", "print the result as `FORMAT`: yaml, json (and on stderr one JSON event a line) or name")
	f.BoolVar(&o.wait, "wait", true, "wait until everything is ready")
	f.DurationVar(&o.timeout, "timeout", 30*time.Minute, "give up after this `DURATION`")
	o.leave.flags(f)
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}

func (o *installOptions) validate() error {
	switch {
	case o.release != "" && o.file != "":
		return &usageError{What: "--release and --filename exclude each other", Next: "Name a release, or a file"}
	case o.name != "" && !appdir.ValidName(o.name):
		return badName(o.name)
	case !slices.Contains([]string{"none", "client", "server"}, o.dryRun):
		return &usageError{What: fmt.Sprintf("--dry-run cannot be %q", o.dryRun), Next: "It is one of: none, client, server"}
	case !slices.Contains([]string{"", "yaml", "json", "name"}, o.output):
		return unknownOutput(o.output, "yaml", "json", "name")
	case o.timeout <= 0:
		return &usageError{What: "--timeout must be longer than nothing", Next: "For example: --timeout 30m"}
	}
	if err := o.adaptFlags.validate(); err != nil {
		return err
	}
	return o.preflightFlags.validate()
}

// runInstall installs. What asks for a document gets one, also where the install did not come far enough to have a result.
func runInstall(ctx context.Context, o *installOptions) error {
	if o.output == "json" && o.dryRun == "none" && !o.diff {
		o.ErrOut = newEventStream(o.ErrOut, o.now)
	}
	err := o.install(ctx)
	if err != nil && !o.told && (o.output == "json" || o.output == "yaml") {
		doc := installResult{APIVersion: resultVersion, Kind: "Result", Name: o.name, Release: o.release, Status: "failed", Error: err.Error()}
		return errors.Join(printDocument(o.Out, o.output, doc), err)
	}
	return err
}

// install renders, adapts, plans, looks ahead, asks, applies and waits.
func (o *installOptions) install(ctx context.Context) error {
	began := o.now()
	client, err := o.connect()
	if err != nil {
		return err
	}
	client.Forget() // kubectl keeps what a server can do for hours; whether an install can begin depends on what it can now
	busy := o.lookWhoWorks(ctx, client)
	wanted, err := o.render(ctx, client)
	if err != nil {
		return err
	}
	if err := <-busy; err != nil {
		return err
	}
	view := client.View()
	inventories, err := install.Inventories(ctx, view)
	if err != nil {
		return err
	}
	if err := wanted.keep(ctx, view); err != nil {
		return err
	}
	wanted.request.Beside = slices.DeleteFunc(slices.Clone(inventories), func(i *install.Inventory) bool { return i.Name == wanted.request.Name })
	plan, err := install.NewPlan(ctx, wanted.request, install.Find(inventories, wanted.request.Name), view, client.Mapping)
	if err != nil {
		return err
	}
	if o.dryRun == "client" && !o.diff {
		return o.showPlan(wanted, plan)
	}
	looking := o.diff || o.dryRun == "server"
	if err := o.preflight(ctx, client, plan, inventories, looking); err != nil {
		return o.finish(client, wanted, plan, nil, began, inTheWay(err))
	}
	if looking {
		o.sayAdapted(wanted)
		return o.showVerdicts(ctx, client, plan)
	}
	if err := o.agree(ctx, client, wanted, plan); err != nil {
		return err
	}
	result, err := o.apply(ctx, client, plan)
	return o.finish(client, wanted, plan, result, began, err)
}

// apply carries the plan out and shows how it goes.
func (o *installOptions) apply(ctx context.Context, client *cluster.Client, plan *install.Plan) (*install.Result, error) {
	o.started(plan.Release, client.Context, len(plan.Objects))
	observe := func(install.Event) {}
	if events, ok := o.ErrOut.(*eventStream); ok {
		observe = events.Observe
	} else {
		progress := ui.NewProgress(o.screen(), plan.Stages(), len(plan.Objects), o.now)
		defer progress.Close()
		observe = progress.Observe
	}
	o.times = newTimes(o.now)
	return install.Run(ctx, client, plan, install.Options{Timeout: o.timeout, NoWait: !o.wait, Observe: func(e install.Event) {
		o.times.observe(e)
		observe(e)
	}})
}

// agree says what is about to change where, and asks.
func (o *installOptions) agree(ctx context.Context, client *cluster.Client, wanted *wantedInstall, plan *install.Plan) error {
	where := fmt.Sprintf("context %s (%s)", client.Context, client.Server())
	if client.Context == "" {
		where = client.Server()
	}
	o.screen().Say("Installing %s on %s", wanted.title, where)
	o.sayPlan(plan)
	o.sayAdapted(wanted)
	for _, cycle := range plan.Cycles {
		o.screen().Say("Note: %s would wait for each other; they are applied without waiting", refsOf(cycle.Objects))
	}
	return o.consent(ctx, plan, fmt.Sprintf("Install %s on %s?", wanted.title, cmp.Or(client.Context, client.Server())))
}
