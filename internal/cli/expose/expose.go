package expose

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

type exposeOptions struct {
	*cli.Deps
	changed func(flag string) bool // reports whether the flag was set

	all    *pflag.FlagSet
	picked map[string]*bool // by name of the method
	method *exposeMethod    // the chosen one; nil to show how the dashboard can be reached

	internal     bool
	sourceRanges []string
	dnsLabel     string
	ip, ipGroup  string
	annotate     []string
	tls, email   string
	tlsSecret    string
	host         string
	port         int
	address      string
	open         bool

	allowUnauthenticated, yes, wait bool
	allowDefaults                   bool
	timeout                         time.Duration
	dryRun, output                  string
}

var (
	exposeOutput = cli.Outputs("", "json", "yaml", "name (only the URL)")
	exposeDryRun = cli.DryRuns("show the changes", "also submit server-side dry-run requests")
	tlsIssuer    = cli.Choice{Flag: "tls", Values: []string{expose.SelfSigned, expose.LetsEncrypt, expose.NoTLS}}
)

// NewCommand returns the command "kubectl kubeflow expose".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &exposeOptions{Deps: d}
	cmd := &cobra.Command{
		Use:   "expose",
		Short: "Expose the dashboard, show its address, or undo that",
		Long: `Expose the Kubeflow dashboard. Without flags, show how it can be reached now,
whether it responds, and which methods are available.

Settings that you do not specify keep the values of an earlier run: "expose
--lb" keeps its source ranges. --source-ranges "" removes them.`,
		Example: `  kubectl kubeflow expose                           # show the address
  kubectl kubeflow expose --port-forward --open     # this computer only
  kubectl kubeflow expose --lb --internal           # virtual network
  kubectl kubeflow expose --lb --source-ranges 203.0.113.7 # one client IP
  kubectl kubeflow expose --lb --tls --source-ranges 203.0.113.7     # HTTPS
  kubectl kubeflow expose --lb --dns-label ourkubeflow --tls letsencrypt
  kubectl kubeflow expose --remove                  # undo expose`,
		Args: o.args,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	f := cmd.Flags()
	o.changed = f.Changed
	f.SortFlags = false
	o.all = f
	o.addMethods(f)
	f.BoolVar(&o.internal, "internal", false, "use a private address in the virtual network")
	f.StringSliceVar(&o.sourceRanges, "source-ranges", nil, "allow connections only from this `CIDR`; separate several with commas")
	f.StringVar(&o.dnsLabel, "dns-label", "", "the DNS label: the dashboard is at `NAME`.REGION.cloudapp.azure.com")
	f.StringVar(&o.ip, "ip", "", "use this existing Azure public IP `ADDRESS`")
	f.StringVar(&o.ipGroup, "ip-resource-group", "", "the `NAME` of the resource group of --ip (default the node resource group)")
	tlsIssuer.Add(cmd, f, &o.tls, "", "serve HTTPS with a certificate from cert-manager; `ISSUER` is self-signed (a private CA, for clusters without a DNS name), letsencrypt, or none to disable HTTPS")
	f.Lookup("tls").NoOptDefVal = expose.SelfSigned
	f.StringVar(&o.tlsSecret, "tls-secret", "", "serve HTTPS with the certificate in Secret `NAME` in the gateway's namespace")
	f.StringVar(&o.host, "host", "", "the DNS `NAME` of the dashboard; you create its record")
	f.StringVar(&o.email, "email", "", "with --tls letsencrypt: the e-mail `ADDRESS` for certificate expiry notices")
	f.StringArrayVar(&o.annotate, "annotate", nil, "add the annotation `KEY=VALUE` to the Service, or remove it with KEY-; can be repeated")
	f.BoolVar(&o.allowDefaults, "allow-default-credentials", false, "allow a public address although the default password or secrets are in use")
	f.BoolVar(&o.allowUnauthenticated, "allow-unauthenticated", false, "allow a public address although the dashboard does not require authentication")
	f.StringVar(&o.address, "address", "localhost", "the `IP` address of this computer to listen on")
	f.BoolVar(&o.open, "open", false, "open the dashboard in a browser")
	f.IntVar(&o.port, "port", 0, "the `PORT` of the dashboard (default 80 or 443 with --lb, 8080 or the next free port with --port-forward)")
	f.BoolVar(&o.wait, "wait", true, "wait until the dashboard responds, or until removed objects are deleted")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "time out after this `DURATION`")
	exposeDryRun.Add(cmd, f, &o.dryRun, "", "preview without changing anything; `MODE` is %s")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	exposeOutput.Add(cmd, f, &o.output, "o", "print the result as `FORMAT`: %s")
	cli.GroupFlags(cmd, methodGroups()...)
	cli.AllowEmpty(f, "dns-label", "ip", "ip-resource-group", "host", "tls-secret") // "" removes the setting of an earlier run
	cli.Complete(cmd, "address", cli.Fixed("localhost", "0.0.0.0"))
	cli.Complete(cmd, "tls-secret", d.FromCluster(cli.NamesOfAll("Secret", cluster.Scope{Namespace: "istio-system", Fields: "type=kubernetes.io/tls"})))
	return cmd
}

func run(ctx context.Context, o *exposeOptions) error {
	result := expose.NewExposure()
	err := o.Explain(o.dispatch(ctx, result))
	if err != nil && err != cli.ErrFound { //nolint:errorlint // not wrapped
		result.Error = redact.Message(err.Error())
	}
	if printed := o.print(result); printed != nil {
		return printed
	}
	return err
}

func (o *exposeOptions) dispatch(ctx context.Context, result *expose.Exposure) error {
	if err := o.check(); err != nil {
		return err
	}
	c, err := o.Connect()
	if err != nil {
		return err
	}
	result.Context, result.Server = c.Context, c.Server()
	if o.method != nil {
		result.Method = o.method.Name
		return o.method.run(o, ctx, c, result)
	}
	return o.runShow(ctx, c, result)
}

// documented reports whether stdout is for the -o document alone.
func (o *exposeOptions) documented() bool { return o.output != "" }

// print writes the -o document. A port-forward has written its own when it opened.
func (o *exposeOptions) print(result *expose.Exposure) error {
	switch o.output {
	case "json", "yaml":
		if result.Method == "port-forward" && result.URL != "" {
			return nil
		}
		return cli.PrintDocument(o.Out, o.output, result)
	case "name":
		if result.URL != "" && result.Method != "port-forward" {
			_, err := fmt.Fprintln(o.Out, result.URL)
			return err
		}
	}
	return nil
}

// runShow shows how the dashboard can be reached now.
func (o *exposeOptions) runShow(ctx context.Context, c *cluster.Client, result *expose.Exposure) error {
	if err := kubeflow.ReadExposure(ctx, c, result); err != nil {
		return err
	}
	if !o.documented() {
		o.Screen().Exposure(result, offeredMethods())
	}
	return ctx.Err()
}
