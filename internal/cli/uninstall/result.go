package uninstall

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/uninstall"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A removal is the -o json and -o yaml document of an uninstall and of its --dry-run.
type removal struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Name       string           `json:"name"`
	Release    string           `json:"release,omitempty"`
	Context    string           `json:"context,omitempty"`
	Server     string           `json:"server,omitempty"`
	Status     string           `json:"status"` // removed, kept (some objects were), planned, nothing (was installed) or failed
	Seconds    float64          `json:"seconds"`
	Waves      []uninstall.Wave `json:"waves,omitempty"`    // of a dry run
	Outside    []cluster.Ref    `json:"outside,omitempty"`  // of a dry run: what of them is cluster-scoped, or in a namespace that is not Kubeflow's
	Warnings   []string         `json:"warnings,omitempty"` // records that are not believed, and why
	Removed    []cluster.Ref    `json:"removed"`
	Kept       []uninstall.Kept `json:"kept,omitempty"`
	Left       []uninstall.Kept `json:"left,omitempty"`
	Data       uninstall.Data   `json:"data"` // user data, which only --delete-data deletes
	DeleteData bool             `json:"deleteData"`
	Pending    []apply.Pending  `json:"pending,omitempty"`
	Next       []string         `json:"next,omitempty"`
	Error      string           `json:"error,omitempty"`
}

func (o *uninstallOptions) document(client *cluster.Client, plan *kubeflow.UninstallPlan, status string) removal {
	return removal{
		APIVersion: cli.ResultVersion, Kind: "Removal", Name: plan.Name, Release: plan.Release, Context: client.Context, Server: client.Server(),
		Status: status, Removed: []cluster.Ref{}, Data: plan.Data, DeleteData: o.deleteData, Warnings: plan.Notices,
	}
}

// finish prints the result.
func (o *uninstallOptions) finish(client *cluster.Client, plan *kubeflow.UninstallPlan, result *uninstall.Result, took time.Duration, err error) error {
	o.printed = true
	doc := o.document(client, plan, "removed")
	doc.Seconds = took.Seconds()
	if result != nil {
		doc.Removed, doc.Kept, doc.Left = result.Removed, result.Keep, result.LeftOvers
		if len(result.Keep) > 0 {
			doc.Status = "kept"
		}
	}
	if err != nil {
		err = client.Explain(withNext(err, result, len(plan.Refs())))
		doc.Status, doc.Error = "failed", redact.Message(err.Error())
		var unremoved *uninstall.UnfinishedError
		if errors.As(err, &unremoved) {
			doc.Pending, doc.Next = unremoved.Pending, unremoved.Next
		}
	}
	o.Finished(doc.Status)
	switch {
	case o.output == "json" || o.output == "yaml":
		if printed := cli.PrintDocument(o.Out, o.output, doc); printed != nil {
			return printed
		}
	case err != nil:
	case o.output == "name":
		for _, ref := range result.Removed {
			fmt.Fprintln(o.Out, ref)
		}
	default:
		o.summary(plan, result, took)
	}
	return err
}

func (o *uninstallOptions) summary(plan *kubeflow.UninstallPlan, result *uninstall.Result, took time.Duration) {
	s := o.Screen()
	if !slices.Equal(result.Keep, plan.Keep) { // else it was printed with the plan
		o.describeKept(result.Keep)
	}
	o.describeLeft(result.LeftOvers)
	fmt.Fprintf(o.Out, "%s %s is uninstalled: %s removed, in %s\n", s.Done(), plan.Title(), text.Plural(len(result.Removed), "object"), ui.Brief(took))
	switch {
	case result.Record && !o.deleteData && !plan.Data.Empty():
		fmt.Fprintln(o.Out, "User data and its record were kept. To delete them: kubectl kubeflow uninstall --delete-data")
	case result.Record:
		fmt.Fprintln(o.Out, "The kept objects stay recorded. To finish later: kubectl kubeflow uninstall")
	}
}

// withNext adds to an error what to do next.
func withNext(err error, result *uninstall.Result, total int) error {
	var unremoved *uninstall.UnfinishedError
	switch {
	case errors.As(err, &unremoved):
		next := "Run the same command again to continue waiting"
		if len(unremoved.Next) > 0 {
			next = "If the controller of these finalizers no longer exists, remove them; its cleanup is then skipped:\n  " +
				strings.Join(unremoved.Next, "\n  ") + "\nThen run the same command again."
		}
		return &problem.Error{What: unremoved.Error(), Next: next, Err: err}
	case errors.Is(err, context.Canceled) && result != nil:
		return &problem.Error{What: fmt.Sprintf("interrupted: %d of %d objects were deleted", len(result.Removed), total), Err: err,
			Next: "Run the same command again to resume"}
	}
	return err
}
