package expose

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/portforward"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// NewDashboardCommand returns the command "kubectl kubeflow dashboard".
func NewDashboardCommand(d *cli.Deps) *cobra.Command {
	o := &exposeOptions{Deps: d}
	cmd := &cobra.Command{
		Use: "dashboard", SuggestFor: []string{"ui", "port-forward"},
		Short: "Open the dashboard in a browser",
		Long: `Open the Kubeflow dashboard in a browser: at its external address if it has one
that responds, otherwise through a port-forward that runs until Ctrl-C.`,
		Example: `  kubectl kubeflow dashboard               # open it
  kubectl kubeflow dashboard --open=false  # print the URL`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDashboard(cmd.Context(), o) },
	}
	f := cmd.Flags()
	o.changed = f.Changed
	f.BoolVar(&o.open, "open", true, "open a browser; false prints the URL")
	f.StringVar(&o.address, "address", "localhost", "the `IP` address of this computer that a port-forward listens on")
	f.IntVar(&o.port, "port", 0, "the `PORT` that a port-forward listens on (default 8080, or the next free port)")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "time out after this `DURATION` if no gateway pod is ready")
	exposeOutput.Add(cmd, f, &o.output, "o", "print the result as `FORMAT`: %s")
	cli.Complete(cmd, "address", cli.Fixed("localhost", "0.0.0.0"))
	return cmd
}

func runDashboard(ctx context.Context, o *exposeOptions) error {
	result := expose.NewExposure()
	err := o.Explain(o.openDashboard(ctx, result))
	if err != nil {
		result.Error = redact.Message(err.Error())
	}
	if printed := o.print(result); printed != nil {
		return printed
	}
	return err
}

func (o *exposeOptions) openDashboard(ctx context.Context, result *expose.Exposure) error {
	if err := exposeOutput.Check(o.output); err != nil {
		return err
	}
	if o.port < 0 || o.port > 65535 {
		return &problem.Error{Usage: true, What: fmt.Sprintf("--port must be between 0 and 65535, not %d", o.port), Next: "For example: --port 8080"}
	}
	c, err := o.Connect()
	if err != nil {
		return err
	}
	result.Context, result.Server = c.Context, c.Server()
	if !o.changed("port") && !o.changed("address") {
		if err := kubeflow.ReadExposure(ctx, c, result); err != nil {
			return err
		}
	}
	if url := answering(result); url != "" {
		return o.openAddress(result, url)
	}
	result.Method, result.URL = portforward.Method.Name, ""
	return o.runPortForward(ctx, c, result)
}

// answering returns the first address at which the dashboard responds, "" if there is none.
func answering(result *expose.Exposure) string {
	for _, e := range result.Endpoints {
		if e.URL != "" && e.Answer != nil && e.Answer.Healthy() {
			return e.URL
		}
	}
	return ""
}

func (o *exposeOptions) openAddress(result *expose.Exposure, url string) error {
	result.URL = url
	if !o.documented() {
		fmt.Fprintf(o.Out, "The dashboard is at %s\n", url)
	}
	if o.open {
		if err := openBrowser(url); err != nil {
			o.Screen().Say("Could not open a browser: %v.", err)
		}
	}
	return nil
}
