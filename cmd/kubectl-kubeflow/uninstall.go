package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/appdir"
)

type uninstallOptions struct {
	*deps
	name       string
	deleteData bool
	confirm    string
	dryRun     string
	output     string
	wait, yes  bool
	timeout    time.Duration

	told bool // the document that -o asks for is printed
}

const uninstallLong = `Takes off what "install" put on the cluster, and nothing else: webhooks before
what serves them, custom resources while their controllers still run, then
workloads, definitions and namespaces. Each step is waited for. Run it again to
finish an uninstall that was cut off.

What users have stays: Profiles, their namespaces and volumes, and whatever
these need; so does a namespace that holds somebody else's objects. What stays
is said. With --delete-data users' data goes as well; it is listed first, and
confirmed by typing the name of the cluster's context.`

const uninstallExample = `  kubectl kubeflow uninstall --dry-run          # what would go, and stay
  kubectl kubeflow uninstall                    # all but users' data
  kubectl kubeflow uninstall --delete-data      # all
  kubectl kubeflow uninstall --name mpi-operator -y    # this installation
  kubectl kubeflow uninstall --delete-data --confirm aks-test -y  # in a script`

func newUninstallCommand(d *deps, run func(context.Context, *uninstallOptions) error) *cobra.Command {
	o := &uninstallOptions{deps: d}
	cmd := &cobra.Command{
		Use: "uninstall", Short: "Take Kubeflow off again, keeping users' data", Long: uninstallLong, Example: uninstallExample,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "the `NAME` of the installation, where there are several")
	f.BoolVar(&o.deleteData, "delete-data", false, "delete users' data as well: Profiles, their namespaces, volumes, runs, notebooks ...")
	f.StringVar(&o.confirm, "confirm", "", "say that --delete-data is meant: the `CONTEXT` whose cluster loses its data")
	f.StringVar(&o.dryRun, "dry-run", "none", "change nothing; `MODE` is client (show what would go and stay) or server (ask the server about each object as well)")
	f.Lookup("dry-run").NoOptDefVal = "client"
	f.StringVarP(&o.output, "output", "o", "", "print the result as `FORMAT`: yaml, json (and on stderr one JSON event a line) or name")
	f.BoolVar(&o.wait, "wait", true, "wait until the last namespace is gone; the steps before are waited for in any case")
	f.DurationVar(&o.timeout, "timeout", 15*time.Minute, "give up after this `DURATION`")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}

func (o *uninstallOptions) validate() error {
	switch {
	case o.name != "" && !appdir.ValidName(o.name):
		return &usageError{What: fmt.Sprintf("--name cannot be %q", o.name),
			Next: "It is at most 25 lower-case letters, digits and '-', and begins and ends with a letter or digit"}
	case !slices.Contains([]string{"none", "client", "server"}, o.dryRun):
		return &usageError{What: fmt.Sprintf("--dry-run cannot be %q", o.dryRun), Next: "It is one of: none, client, server"}
	case !slices.Contains([]string{"", "yaml", "json", "name"}, o.output):
		return unknownOutput(o.output, "yaml", "json", "name")
	case o.confirm != "" && !o.deleteData:
		return &usageError{What: "--confirm goes with --delete-data", Next: "Without --delete-data, -y is all that is needed"}
	case o.timeout <= 0:
		return &usageError{What: "--timeout must be longer than nothing", Next: "For example: --timeout 15m"}
	}
	return nil
}

// runUninstall uninstalls. What asks for a document gets one, also where it did not come far enough to have a result.
func runUninstall(ctx context.Context, o *uninstallOptions) error {
	if o.output == "json" && o.dryRun == "none" {
		o.ErrOut = newEventStream(o.ErrOut, o.now)
	}
	err := o.uninstall(ctx)
	if err != nil && !o.told && (o.output == "json" || o.output == "yaml") {
		doc := removal{APIVersion: resultVersion, Kind: "Removal", Name: o.name, Status: "failed", Error: err.Error()}
		return errors.Join(printDocument(o.Out, o.output, doc), err)
	}
	return err
}

// uninstall looks, decides, shows, asks, and takes off.
func (o *uninstallOptions) uninstall(ctx context.Context) error {
	client, err := o.connect()
	if err != nil {
		return err
	}
	survey, err := install.Look(ctx, client)
	if err != nil {
		return err
	}
	request, err := o.choose(ctx, client, survey)
	if err != nil || request == nil {
		return err
	}
	plan := install.NewRemoval(*request, survey)
	if len(plan.Refs()) == 0 && !plan.Whole() {
		return o.onlyKept(client, plan)
	}
	if o.dryRun != "none" {
		return o.showRemoval(ctx, client, plan)
	}
	if err := install.MayRemove(ctx, client, plan); err != nil {
		return err
	}
	if err := o.agree(ctx, client, plan); err != nil {
		return err
	}
	began := o.now()
	result, err := o.takeOff(ctx, client, *request, plan)
	return o.finish(client, plan, result, o.now().Sub(began), err)
}

// takeOff carries it out and shows how it goes.
func (o *uninstallOptions) takeOff(ctx context.Context, client *cluster.Client, request install.UninstallRequest, plan *install.Removal) (*install.Removed, error) {
	o.started(plan.Release, client.Context, len(plan.Refs()))
	options := install.UninstallOptions{Timeout: o.timeout, NoWait: !o.wait}
	if events, ok := o.ErrOut.(*eventStream); ok {
		options.Observe = events.Observe
	} else {
		progress := ui.NewRemoval(o.screen(), o.now)
		defer progress.Close()
		options.Observe = progress.Observe
	}
	return install.Uninstall(ctx, client, request, options)
}

// choose returns what to take off, nil when there is nothing.
func (o *uninstallOptions) choose(ctx context.Context, client *cluster.Client, survey *install.Survey) (*install.UninstallRequest, error) {
	view := client.View()
	all, err := install.Inventories(ctx, view)
	if err != nil {
		return nil, err
	}
	request := &install.UninstallRequest{DeleteData: o.deleteData}
	switch {
	case o.name != "":
		request.Inventory = install.Find(all, o.name)
	case len(all) > 1:
		return nil, &usageError{What: fmt.Sprintf("there are %d installations here: %s", len(all), namesOf(all)), Next: "Say which one with --name"}
	case len(all) == 1:
		request.Inventory = all[0]
	default:
		request.Inventory = install.Leaving(survey)
	}
	if request.Inventory == nil {
		if len(all) == 0 && o.dryRun == "none" {
			err = install.Tidy(ctx, client)
		}
		return nil, errors.Join(o.nothing(client, all), err)
	}
	for _, other := range all {
		if other.Name != request.Inventory.Name {
			request.Others = append(request.Others, other)
		}
	}
	if !slices.ContainsFunc(request.Others, func(i *install.Inventory) bool { return i.Release != "" || i.Name == "kubeflow" }) {
		request.Besides, err = besides(ctx, view)
	}
	return request, err
}

// besides returns what doctor and expose left for the Kubeflow that goes.
func besides(ctx context.Context, view cluster.View) ([]*unstructured.Unstructured, error) {
	made, err := expose.LookMade(ctx, view)
	if err != nil {
		return nil, fmt.Errorf("looking for what expose made: %w", err)
	}
	records, err := doctor.Records(ctx, view)
	if err != nil {
		return nil, fmt.Errorf("looking for what doctor recorded: %w", err)
	}
	return append(made.Objects, records...), nil
}

func namesOf(all []*install.Inventory) string {
	var names []string
	for _, inventory := range all {
		names = append(names, inventory.Name)
	}
	return strings.Join(names, ", ")
}

// nothing says that there is nothing to take off: that is what was wanted.
func (o *uninstallOptions) nothing(client *cluster.Client, all []*install.Inventory) error {
	o.told = true
	doc := removal{APIVersion: resultVersion, Kind: "Removal", Name: o.name, Context: client.Context, Server: client.Server(), Status: "nothing", Removed: []cluster.Ref{}}
	if o.output == "json" || o.output == "yaml" {
		return printDocument(o.Out, o.output, doc)
	}
	where := cmp.Or(client.Context, client.Server())
	switch {
	case len(all) > 0:
		o.screen().Say("Nothing is installed under the name %s on %s. There is: %s", o.name, where, namesOf(all))
	default:
		o.screen().Say("Nothing is installed on %s, as far as this program keeps a record: there is nothing to take off.", where)
	}
	return nil
}
