package expose

import (
	"context"
	"net"
	"slices"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
)

// leads says when the name under which visitors come does not lead to the address, as far as this computer knows.
func (o *exposeOptions) leads(ctx context.Context, host, address string) {
	if host == "" || net.ParseIP(host) != nil {
		return
	}
	asking, stop := context.WithTimeout(ctx, 3*time.Second)
	defer stop()
	if found, _ := net.DefaultResolver.LookupHost(asking, host); !slices.Contains(found, address) && ctx.Err() == nil {
		o.Screen().Paragraph("The name " + host + " does not lead to " + address + " yet, as far as this computer knows. A new name takes some minutes; one of your own zone needs a record of type A.")
	}
}

// trust says how visitors come to trust an authority that nobody knows.
func (o *exposeOptions) trust(plan tls.Plan, answer probe.Result) {
	if answer.Certificate == nil || answer.Certificate.Trusted != probe.TrustedByCA {
		return
	}
	s := o.Screen()
	s.Paragraph("Browsers warn until they know its authority. Whoever gets this file and trusts it sees no warning:")
	s.Say("  kubectl get secret -n %s %s -o jsonpath='{.data.ca\\.crt}' | base64 -d > kubeflow-ca.crt", plan.Secret.Namespace, plan.Secret.Name)
}
