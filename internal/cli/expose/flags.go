package expose

import (
	"cmp"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// args accepts the value of --tls as an argument: a flag with an optional value takes it after "=", but users type a space.
func (o *exposeOptions) args(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && o.changed("tls") && o.tls == expose.SelfSigned && tlsIssuer.Check(args[0]) == nil {
		o.tls = args[0]
		return nil
	}
	return cli.NoArgs(cmd, args)
}

// check validates the flags, before the first request to the cluster.
func (o *exposeOptions) check() error {
	if err := o.choose(); err != nil {
		return err
	}
	if err := o.checkTLS(); err != nil {
		return err
	}
	return o.checkValues()
}

// checkTLS validates the combination of flags for HTTPS.
func (o *exposeOptions) checkTLS() error {
	wants := o.changed("tls") && o.tls != expose.NoTLS || o.changed("tls-secret")
	switch {
	case o.changed("email") && o.tls != expose.LetsEncrypt:
		return &problem.Error{Usage: true, What: "--email requires --tls letsencrypt", Next: "Add it, or see: kubectl kubeflow expose --help"}
	case o.changed("tls") && o.changed("tls-secret"):
		return &problem.Error{Usage: true, What: "--tls and --tls-secret are mutually exclusive", Next: "Use --tls for a certificate from cert-manager, or --tls-secret for your own"}
	case o.changed("tls-secret") && o.tlsSecret == "":
		return &problem.Error{Usage: true, What: "--tls-secret must not be empty", Next: "Name a Secret in the gateway's namespace; to disable HTTPS, use --tls none"}
	case wants && !o.wait:
		return &problem.Error{Usage: true, What: "--tls cannot be used with --wait=false: the certificate is issued for the address", Next: "Omit --wait=false"}
	case wants && o.port == 80:
		return &problem.Error{Usage: true, What: "--port 80 cannot serve HTTPS: it redirects HTTP requests", Next: "Omit --port for 443, or choose another port"}
	case o.changed("dns-label") && o.dnsLabel != "" && o.internal:
		return &problem.Error{Usage: true, What: "--dns-label cannot be used with --internal: it names a public address", Next: "Specify one of them; for a name in your own DNS zone, use --host"}
	}
	return tlsIssuer.Check(o.tls)
}

func (o *exposeOptions) checkValues() error {
	if o.changed("port") && (o.port < 1 || o.port > 65535) {
		return &problem.Error{Usage: true, What: fmt.Sprintf("--port cannot be %d", o.port), Next: "A port is a number from 1 to 65535"}
	}
	if o.changed("address") && o.address != "localhost" && net.ParseIP(o.address) == nil {
		return &problem.Error{Usage: true, What: fmt.Sprintf("--address cannot be %q", o.address), Next: "It is localhost, or an IP address of this computer such as 127.0.0.1 or 0.0.0.0"}
	}
	if _, err := expose.ParseRanges(o.sourceRanges); err != nil {
		return &problem.Error{Usage: true, What: "--source-ranges: " + err.Error(), Next: "Separate CIDRs with commas, for example: 203.0.113.0/24,198.51.100.7"}
	}
	if _, err := expose.ParseAnnotations(o.annotate); err != nil {
		return &problem.Error{Usage: true, What: "--annotate: " + err.Error(), Next: "Use the syntax of kubectl annotate: --annotate owner=team-a"}
	}
	if err := o.exposeOptions().Check(); err != nil {
		what, next, _ := strings.Cut(err.Error(), ": ")
		return &problem.Error{Usage: true, What: what, Next: text.Capitalized(next)}
	}
	if o.timeout <= 0 {
		return &problem.Error{Usage: true, What: fmt.Sprintf("--timeout cannot be %s", o.timeout), Next: "It must be positive, for example 10m; to return at once, use --wait=false"}
	}
	return cmp.Or(exposeDryRun.Check(o.dryRun), exposeOutput.Check(o.output))
}
