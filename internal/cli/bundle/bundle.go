package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/bundle"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

type bundleOptions struct {
	*cli.Deps
	file   string
	emails bool
	output string
}

var bundleOutput = cli.Outputs("", "name", "json", "yaml")

// NewCommand returns the command "kubectl kubeflow bundle".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &bundleOptions{Deps: d}
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Save the cluster state that doctor reads, redacted, for support",
		Long: `Save the cluster state that doctor reads in a tar archive, with the events and
the last log lines of unhealthy workloads. Only fields that doctor reads are
saved, and values that are not known to be harmless are redacted; docs/bundle.md
lists these fields.
"doctor --from" gives the same report from the archive, on any machine and
without access to the cluster.`,
		Example: `  kubectl kubeflow bundle                   # default file name
  kubectl kubeflow bundle -O broken.tar.gz
  kubectl kubeflow doctor --from broken.tar.gz`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.file, "output-file", "O", "", "write to `FILE`; \"-\" is standard output (default kubectl-kubeflow-bundle-TIME.tar.gz)")
	f.BoolVar(&o.emails, "emails", false, "keep e-mail addresses, which name the owners of Profiles")
	bundleOutput.Add(cmd, f, &o.output, "o", "print the bundle's contents as `FORMAT`: %s (default a summary)")
	return cmd
}

func run(ctx context.Context, o *bundleOptions) error {
	if err := bundleOutput.Check(o.output); err != nil {
		return err
	}
	if o.output != "" && o.file == "-" {
		return &problem.Error{Usage: true, What: "-o cannot be used with -O -: the bundle is written to standard output", Next: "Omit -o, or write the bundle to a file"}
	}
	client, err := o.Connect()
	if err != nil {
		return err
	}
	view := client.View()
	recorder := bundle.Record(view)
	head := bundle.Head{By: cli.PluginVersion(), Context: client.Context, Server: client.Server()}
	if _, err := recorder.Version(ctx); err != nil {
		return err
	}
	now, err := recorder.Now(ctx)
	if err != nil {
		return err
	}
	if o.file == "" {
		o.file = "kubectl-kubeflow-bundle-" + now.UTC().Format("20060102-150405") + ".tar.gz"
	}
	if err := o.checkFile(); err != nil {
		return err
	}
	options := doctor.Options{Settings: doctor.Settings{Release: kubeflow.InstalledRelease(ctx, view), NewSecret: signin.NewSecret}}
	if options.Release != nil {
		head.Release = options.Release.Version
	}
	o.Screen().Say("reading context %s at %s", client.Context, client.Server())
	report := doctor.Diagnose(ctx, recorder, checks.In("", checks.All()), options)
	recorder.AddUnhealthy(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	written, size, err := o.save(recorder, head, bundle.Options{
		Emails: o.emails, Shipped: checks.Public, Keep: checks.Kept,
		Report: func(kept cluster.View) any { return doctor.Diagnose(ctx, kept, checks.In("", checks.All()), options) },
	})
	if err != nil {
		return err
	}
	blind := report.Blind()
	if len(blind) > 0 && written.Objects == 0 {
		if o.file != "-" {
			_ = os.Remove(o.file) // it has nothing in it
		}
		return &problem.Error{What: fmt.Sprintf("there is nothing to put into a bundle: %d of %d checks could not run; the first is %s: %s", len(blind), len(report.Checks), blind[0].ID, blind[0].Reason),
			Next: "Grant this user the read permissions that doctor needs (see docs/rbac.md), or select another user with --context"}
	}
	if len(blind) > 0 {
		o.Screen().Say("Warning: %d of %d checks could not run; the first is %s: %s", len(blind), len(report.Checks), blind[0].ID, blind[0].Reason)
	}
	return o.showBundle(written, size)
}

// checkFile checks, before the cluster is read, that the file can be created and does not exist.
func (o *bundleOptions) checkFile() error {
	if o.file == "-" {
		return nil
	}
	if _, err := os.Lstat(o.file); err == nil {
		return &problem.Error{Usage: true, What: o.file + " already exists", Next: "Specify another file with -O, or delete it first"}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return &problem.Error{Usage: true, What: "cannot write " + o.file + ": " + err.Error(), Next: "Specify another file with -O"}
	}
	if info, err := os.Stat(filepath.Dir(o.file)); err != nil || !info.IsDir() {
		return &problem.Error{Usage: true, What: fmt.Sprintf("folder %s does not exist", filepath.Dir(o.file)), Next: "Create it, or specify another file with -O"}
	}
	return nil
}

// save writes the whole bundle or none of it, and returns its size in bytes.
func (o *bundleOptions) save(r *bundle.Recorder, head bundle.Head, options bundle.Options) (*bundle.Head, int64, error) {
	if o.file == "-" {
		written, err := r.Write(escape.Underlying(o.Out), head, options) // bytes, not text
		return written, 0, err
	}
	unfinished, err := os.CreateTemp(filepath.Dir(o.file), ".kubectl-kubeflow-bundle-*")
	if err != nil {
		return nil, 0, &problem.Error{Usage: true, What: "cannot write " + o.file + ": " + err.Error(), Next: "Specify another file with -O"}
	}
	defer func() { _ = os.Remove(unfinished.Name()) }() // after a success it has been renamed
	written, err := r.Write(unfinished, head, options)
	var size int64
	if err == nil {
		size, err = unfinished.Seek(0, io.SeekEnd)
	}
	if err = errors.Join(err, unfinished.Close()); err == nil {
		err = os.Rename(unfinished.Name(), o.file)
	}
	if err != nil {
		return nil, 0, &problem.Error{What: "could not write " + o.file, Next: "Check whether the disk is full", Err: err}
	}
	return written, size, nil
}

func (o *bundleOptions) showBundle(head *bundle.Head, size int64) error {
	switch o.output {
	case "name":
		_, err := fmt.Fprintln(o.Out, o.file)
		return err
	case "json", "yaml":
		return cli.PrintDocument(o.Out, o.output, head)
	}
	if o.file == "-" {
		return nil
	}
	out := []string{fmt.Sprintf("Wrote %s: %d objects and %d logs in %d kB.", o.file, head.Objects, head.Logs, (size+1023)/1024), "Redacted: " + redacted(head)}
	if len(head.LeftOut) > 0 {
		out = append(out, "Omitted because of their size: "+strings.Join(head.LeftOut, ", "))
	}
	out = append(out, "Read it with: kubectl kubeflow doctor --from "+escape.Word(o.file))
	_, err := fmt.Fprintln(o.Out, strings.Join(out, "\n"))
	return err
}

// redacted lists how many values of each kind were removed from the bundle.
func redacted(head *bundle.Head) string {
	var sorts []string
	for _, sort := range []struct{ key, one, many string }{
		{"value", "value", "values"}, {"text", "word in messages and logs", "words in messages and logs"}, {"email", "e-mail address", "e-mail addresses"},
	} {
		switch n := head.Redacted[sort.key]; n {
		case 0:
		case 1:
			sorts = append(sorts, "1 "+sort.one)
		default:
			sorts = append(sorts, fmt.Sprintf("%d %s", n, sort.many))
		}
	}
	if len(sorts) == 0 {
		return "nothing"
	}
	return strings.Join(sorts, ", ")
}
