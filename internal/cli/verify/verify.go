package verify

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/atomicfile"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/verify"
)

type verifyOptions struct {
	*cli.Deps
	names               []string
	all, keep, sample   bool
	listImages, cleanup bool
	images              []string
	timeout, overall    time.Duration
	user, passwordFile  string
	output, evidence    string
	run                 verify.Options
}

var verifyOutput = cli.Outputs("", "json", "yaml", "junit")

// NewCommand returns the command "kubectl kubeflow verify".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &verifyOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "verify [TEST...]", Short: "Verify that Kubeflow works by using it as a person would",
		Long: `Verify that Kubeflow works by using it as a person would. Each test creates what
it needs in a Profile of its own, or in the namespace of -n, and removes it at
the end, also after a failure and after Ctrl-C.

Tests:
` + testList() + `
Components are reached through the gateway, as a browser reaches them, and by a
port-forward to their pods; the two are reported apart.

Exit codes: 0 all tests passed, 1 no test could run, 3 a test failed, 4 the
tests timed out.`,
		Example: `  kubectl kubeflow verify                  # all quick tests
  kubectl kubeflow verify notebook         # one test
  kubectl kubeflow verify pipeline --sample  # the tutorial's pipeline
  kubectl kubeflow verify -n team          # in an existing namespace
  kubectl kubeflow verify --list-images    # what an air-gapped cluster needs
  kubectl kubeflow verify --cleanup        # remove what a killed run left`,
		ValidArgs: testNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.names = args
			if err := o.complete(cmd.Context()); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&o.all, "all", false, "run all tests, not only the quick ones")
	f.BoolVar(&o.sample, "sample", false, "pipeline runs \"[Tutorial] Data passing in python components\", which needs the Python package index")
	f.DurationVar(&o.timeout, "timeout", cli.TestTimeout, "time out a test after this `DURATION`; pulling images does not count")
	f.DurationVar(&o.overall, "total-timeout", cli.AllTestsTimeout, "time out all tests together after this `DURATION`")
	f.StringVar(&o.user, "user-email", "", "sign in as the user with this `EMAIL` (default user@example.com)")
	f.StringVar(&o.passwordFile, "password-file", "", "read the password of the user from `FILE` (default Kubeflow's default password)")
	f.StringArrayVar(&o.images, "image", nil, "use another image: `FROM=TO`, where FROM is an image, its prefix, or what it is used for")
	f.BoolVar(&o.listImages, "list-images", false, "list the images that the tests use, and exit")
	f.BoolVar(&o.keep, "keep", false, "keep what the tests created")
	f.BoolVar(&o.cleanup, "cleanup", false, "remove what earlier runs left, and exit")
	f.StringVar(&o.evidence, "evidence", "", "also write the report, with versions and images, to `FILE` as JSON")
	verifyOutput.Add(cmd, f, &o.output, "o", "print the report as `FORMAT`: %s")
	return cmd
}

func testList() string {
	var b strings.Builder
	for _, t := range verify.Tests() {
		fmt.Fprintf(&b, "  %-10s %s\n", t.Name, t.Title)
	}
	return b.String()
}

func testNames() []string {
	var names []string
	for _, t := range verify.Tests() {
		names = append(names, t.Name)
	}
	return names
}

// complete validates the flags and selects the tests.
func (o *verifyOptions) complete(ctx context.Context) error {
	if err := verifyOutput.Check(o.output); err != nil {
		return err
	}
	tests, unknown := verify.Select(o.names, o.all)
	switch {
	case unknown != "":
		return &problem.Error{Usage: true, What: fmt.Sprintf("there is no test %q", unknown), Next: "The tests are " + strings.Join(testNames(), ", ")}
	case o.timeout <= 0 || o.overall <= 0:
		return &problem.Error{Usage: true, What: "--timeout and --total-timeout must be positive", Next: "For example: --timeout 10m"}
	case o.cleanup && (o.listImages || o.keep):
		return &problem.Error{Usage: true, What: "--cleanup cannot be used with --list-images or --keep", Next: "Specify one of them"}
	}
	o.run = verify.Options{Tests: tests, Named: len(o.names) > 0, Images: map[string]string{}, Timeout: o.timeout, Overall: o.overall, Keep: o.keep, Sample: o.sample, User: o.user}
	if namespace := o.Flags.Namespace; namespace != nil {
		o.run.Namespace = *namespace
	}
	for _, pair := range o.images {
		from, to, ok := strings.Cut(pair, "=")
		if !ok || from == "" || to == "" {
			return &problem.Error{Usage: true, What: fmt.Sprintf("invalid value %q for --image", pair), Next: "Use FROM=TO, for example: --image docker.io=example.azurecr.io"}
		}
		o.run.Images[from] = to
	}
	return o.readPassword(ctx)
}

func (o *verifyOptions) readPassword(ctx context.Context) (err error) {
	if o.passwordFile != "" {
		o.run.Password, err = o.ReadPassword(ctx, "password-file", o.passwordFile)
	}
	return err
}

func run(ctx context.Context, o *verifyOptions) error {
	client, err := o.Connect()
	if err != nil {
		return err
	}
	switch {
	case o.cleanup:
		return o.cleanUp(ctx, client)
	case o.listImages:
		images, err := verify.Images(ctx, client, o.run)
		for _, image := range images {
			fmt.Fprintln(o.Out, image)
		}
		return err
	}
	report, err := o.Verify(ctx, client, o.run)
	return errors.Join(o.show(report, err), o.writeEvidence(report), cli.VerifyVerdict(report, err))
}

// show prints the report. Without a result, only documents have something to say.
func (o *verifyOptions) show(report *verify.Report, err error) error {
	switch o.output {
	case "json", "yaml":
		return cli.PrintDocument(o.Out, o.output, report)
	case "junit":
		return o.Screen().VerifyJUnit(report)
	}
	if len(report.Results) == 0 && err != nil {
		return nil
	}
	return o.Screen().Verify(report)
}

func (o *verifyOptions) writeEvidence(report *verify.Report) error {
	if o.evidence == "" {
		return nil
	}
	var text strings.Builder
	if err := cli.PrintDocument(&text, "json", report); err != nil {
		return err
	}
	return atomicfile.Into(filepath.Dir(o.evidence), filepath.Base(o.evidence), []byte(text.String()), 0o644)
}

func (o *verifyOptions) cleanUp(ctx context.Context, client *cluster.Client) error {
	removed, left, err := verify.CleanUp(ctx, client, o.run.Namespace)
	if err != nil {
		return err
	}
	for _, ref := range removed {
		fmt.Fprintf(o.Out, "%s removed\n", ref)
	}
	if len(removed) == 0 {
		o.Screen().Say("Nothing to remove: no earlier run left anything")
	}
	if len(left) > 0 {
		return &problem.Error{What: "not everything could be removed: " + strings.Join(left, "; "), Next: "Run the same command again"}
	}
	return nil
}
