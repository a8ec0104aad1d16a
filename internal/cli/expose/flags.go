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

// args takes no argument but the value of --tls: as a flag that may stand alone it has its value behind a "=", and people
// type a space.
func (o *exposeOptions) args(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && o.given("tls") && o.tls == expose.SelfSigned && tlsIssuer.Check(args[0]) == nil {
		o.tls = args[0]
		return nil
	}
	return cli.NoArgs(cmd, args)
}

// check refuses flags that do not go together, before anything is asked of the cluster.
func (o *exposeOptions) check() error {
	if err := o.choose(); err != nil {
		return err
	}
	if err := o.checkTLS(); err != nil {
		return err
	}
	return o.checkValues()
}

// checkTLS refuses flags about the certificate that do not go together.
func (o *exposeOptions) checkTLS() error {
	wants := o.given("tls") && o.tls != expose.NoTLS || o.given("tls-secret")
	switch {
	case o.given("email") && o.tls != expose.LetsEncrypt:
		return &problem.Error{Usage: true, What: "--email says nothing without --tls letsencrypt", Next: "Add it, or see: kubectl kubeflow expose --help"}
	case o.given("tls") && o.given("tls-secret"):
		return &problem.Error{Usage: true, What: "--tls and --tls-secret do not go together", Next: "Choose one: a certificate that cert-manager makes, or one that you have"}
	case o.given("tls-secret") && o.tlsSecret == "":
		return &problem.Error{Usage: true, What: "--tls-secret names no Secret", Next: "Name one of the gateway's namespace; --tls none takes HTTPS back"}
	case wants && !o.wait:
		return &problem.Error{Usage: true, What: "--tls needs the address, and --wait=false does not wait for it", Next: "Leave --wait=false away"}
	case wants && o.port == 80:
		return &problem.Error{Usage: true, What: "--port 80 is where plain HTTP is sent on from", Next: "Leave --port away for 443, or choose another"}
	case o.given("dns-label") && o.dnsLabel != "" && o.internal:
		return &problem.Error{Usage: true, What: "--dns-label is a name for a public address, and --internal makes none", Next: "Leave one of them away; --host gives the name of your own zone"}
	}
	return tlsIssuer.Check(o.tls)
}

func (o *exposeOptions) checkValues() error {
	if o.given("port") && (o.port < 1 || o.port > 65535) {
		return &problem.Error{Usage: true, What: fmt.Sprintf("--port cannot be %d", o.port), Next: "A port is a number from 1 to 65535"}
	}
	if o.given("address") && o.address != "localhost" && net.ParseIP(o.address) == nil {
		return &problem.Error{Usage: true, What: fmt.Sprintf("--address cannot be %q", o.address), Next: "It is localhost, or an IP address of this computer such as 127.0.0.1 or 0.0.0.0"}
	}
	if _, err := expose.ParseRanges(o.sourceRanges); err != nil {
		return &problem.Error{Usage: true, What: "--source-ranges: " + err.Error(), Next: "Write CIDRs with commas between them, as 203.0.113.0/24,198.51.100.7"}
	}
	if _, err := expose.ParseAnnotations(o.annotate); err != nil {
		return &problem.Error{Usage: true, What: "--annotate: " + err.Error(), Next: "Write it as kubectl annotate does: --annotate owner=team-a"}
	}
	if err := o.wanted().Check(); err != nil {
		what, next, _ := strings.Cut(err.Error(), ": ")
		return &problem.Error{Usage: true, What: what, Next: text.Capitalized(next)}
	}
	if o.timeout <= 0 {
		return &problem.Error{Usage: true, What: fmt.Sprintf("--timeout cannot be %s", o.timeout), Next: "Say how long to wait, as 10m, or do not wait with --wait=false"}
	}
	return cmp.Or(exposeDryRun.Check(o.dryRun), exposeOutput.Check(o.output))
}
