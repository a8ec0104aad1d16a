package expose

import (
	"context"
	"net"
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
)

// checkDNS warns if the DNS name of the dashboard does not resolve to its address.
func (o *exposeOptions) checkDNS(ctx context.Context, host, address string) {
	if host == "" || net.ParseIP(host) != nil {
		return
	}
	resolving, stop := context.WithTimeout(ctx, 3*time.Second)
	defer stop()
	if found, _ := net.DefaultResolver.LookupHost(resolving, host); !slices.Contains(found, address) && ctx.Err() == nil {
		o.Screen().Paragraph(host + " does not resolve to " + address + " yet. New DNS records take a few minutes; in your own zone, create an A record.")
	}
}

// explainTrust tells how to trust the private CA of a certificate.
func (o *exposeOptions) explainTrust(plan tls.Plan, answer probe.Result) {
	if answer.Certificate == nil || answer.Certificate.Trusted != probe.TrustedByCA {
		return
	}
	s := o.Screen()
	s.Paragraph("Browsers warn about the certificate until they trust its private CA. To get the CA certificate:")
	s.Say("  kubectl get secret -n %s %s -o jsonpath='{.data.ca\\.crt}' | base64 -d > kubeflow-ca.crt", plan.Secret.Namespace, escape.Word(plan.Secret.Name))
}
