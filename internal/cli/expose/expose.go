package expose

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

type exposeOptions struct {
	*cli.Deps
	given func(flag string) bool // whether a flag was typed

	all    *pflag.FlagSet
	picked map[string]*bool // by the names of the methods
	method *exposeMethod    // the one that was asked for; nil to say where the dashboard is

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
	exposeOutput = cli.Outputs("", "json", "yaml", "name (the URL alone)")
	exposeDryRun = cli.DryRuns("show the changes", "let the server check them too")
	tlsIssuer    = cli.Choice{Flag: "tls", Values: []string{expose.SelfSigned, expose.LetsEncrypt, expose.NoTLS}}
)

// NewCommand returns the command "kubectl kubeflow expose".
func NewCommand(d *cli.Deps) *cobra.Command {
	o := &exposeOptions{Deps: d}
	cmd := &cobra.Command{
		Use:   "expose",
		Short: "Make the dashboard reachable, say where it is, take that back",
		Long: `Makes Kubeflow's dashboard reachable. Without a flag: says how it can be reached
now, whether it answers, and which ways there are.

What a second run does not name stays as it is: "expose --lb" keeps the source
ranges that an earlier run set. --source-ranges "" lifts them.`,
		Example: `  kubectl kubeflow expose                           # where is it?
  kubectl kubeflow expose --port-forward --open     # on this computer alone
  kubectl kubeflow expose --lb --internal           # for the virtual network
  kubectl kubeflow expose --lb --source-ranges 203.0.113.7 # for one visitor
  kubectl kubeflow expose --lb --tls --source-ranges 203.0.113.7     # encrypted
  kubectl kubeflow expose --lb --dns-label ourkubeflow --tls letsencrypt
  kubectl kubeflow expose --remove                  # take back what expose made`,
		Args: o.args,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	f := cmd.Flags()
	o.given = f.Changed
	f.SortFlags = false
	o.all = f
	o.addMethods(f)
	f.BoolVar(&o.internal, "internal", false, "an address of the virtual network, not of the internet")
	f.StringSliceVar(&o.sourceRanges, "source-ranges", nil, "only this `CIDR` may connect; several with commas")
	f.StringVar(&o.dnsLabel, "dns-label", "", "the `NAME` below REGION.cloudapp.azure.com")
	f.StringVar(&o.ip, "ip", "", "this `ADDRESS`, which you have made in Azure")
	f.StringVar(&o.ipGroup, "ip-resource-group", "", "the resource group `NAME` of that address, where it is not the nodes' own")
	tlsIssuer.Add(cmd, f, &o.tls, "", "HTTPS with a certificate by cert-manager, `ISSUER` self-signed or letsencrypt; none takes it back")
	f.Lookup("tls").NoOptDefVal = expose.SelfSigned
	f.StringVar(&o.tlsSecret, "tls-secret", "", "HTTPS with the certificate in Secret `NAME` of the gateway's namespace")
	f.StringVar(&o.host, "host", "", "the `NAME` under which visitors come, which you let lead to the address")
	f.StringVar(&o.email, "email", "", "with --tls letsencrypt: the `ADDRESS` that hears of trouble with the certificate")
	f.StringArrayVar(&o.annotate, "annotate", nil, "`KEY=VALUE` for the Service, or KEY- to take one off; may be repeated")
	f.BoolVar(&o.allowDefaults, "allow-default-credentials", false, "a public address even though the password and secrets are those of every Kubeflow")
	f.BoolVar(&o.allowUnauthenticated, "allow-unauthenticated", false, "a public address even though nobody has to sign in")
	f.StringVar(&o.address, "address", "localhost", "the `IP` of this computer to listen on")
	f.BoolVar(&o.open, "open", false, "open it in a browser")
	f.IntVar(&o.port, "port", 0, "the `PORT` to connect to (default 80 with --lb, 8080 or the next free one with --port-forward)")
	f.BoolVar(&o.wait, "wait", true, "wait for the address and until the page answers, or until what is removed is gone")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "give up after this `DURATION`")
	exposeDryRun.Add(cmd, f, &o.dryRun, "", "change nothing; `MODE` is %s")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask before changing the cluster")
	exposeOutput.Add(cmd, f, &o.output, "o", "print the result as `FORMAT`: %s")
	cli.GroupFlags(cmd, methodGroups()...)
	cli.MayBeEmpty(f, "dns-label", "ip", "ip-resource-group", "host", "tls-secret") // takes off what an earlier run set
	cli.Complete(cmd, "address", cli.Fixed("localhost", "0.0.0.0"))
	cli.Complete(cmd, "tls-secret", d.FromCluster(cli.NamesOfAll("Secret", cluster.Scope{Namespace: "istio-system", Fields: "type=kubernetes.io/tls"})))
	return cmd
}

func run(ctx context.Context, o *exposeOptions) error {
	result := expose.NewExposure()
	err := o.dispatch(ctx, result)
	if err != nil && o.Client != nil {
		err = o.Client.Explain(err)
	}
	if err != nil && err != cli.ErrFound { //nolint:errorlint // the very value
		result.Error = err.Error()
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
	return o.runWhere(ctx, c, result)
}

// documented tells whether the result is one document, so that nothing else may go to stdout.
func (o *exposeOptions) documented() bool { return o.output != "" }

// print writes the result as a document; what people read was drawn on the way. A port-forward printed its own while it was open.
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

// runWhere says how the dashboard can be reached now.
func (o *exposeOptions) runWhere(ctx context.Context, c *cluster.Client, result *expose.Exposure) error {
	if err := kubeflow.ReadExposure(ctx, c, result); err != nil {
		return err
	}
	if !o.documented() {
		o.Screen().Exposure(result, offeredMethods())
	}
	return ctx.Err()
}
