package tls

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Secure does the second half of an exposure, for which the address had to be there: it gets the certificate, and lets the
// gateway serve it when it has come. Without anything to do it does nothing. agreed is what the user's consent rests on, from
// [Target.WithTLS]: Secure changes nothing beyond what [NewPlan] makes of that and the address; nil is no such limit. tell
// reports why the certificate takes long.
func Secure(ctx context.Context, c *cluster.Client, agreed *Target, o expose.Options, address string, tell func(problem.Error)) (Plan, error) {
	agreement, err := consentFor(agreed, o, address)
	if err != nil {
		return Plan{}, err
	}
	do := func(part func(Plan) []cluster.Change) (Plan, error) {
		return applyTLS(ctx, c, agreement, o, address, part)
	}
	var plan Plan
	if agreement != nil { // without changes in it there is nothing to look for: more than was agreed to is refused
		plan = agreement.plan
	}
	if agreement == nil || len(plan.Issue) > 0 {
		if plan, err = do(func(p Plan) []cluster.Change { return p.Issue }); err != nil {
			return plan, err
		}
	}
	if err := plan.await(ctx, c, address, tell); err != nil {
		return plan, err
	}
	if agreement != nil && len(agreement.plan.Serve) == 0 {
		return plan, nil
	}
	serve := func(p Plan) []cluster.Change { return p.Serve }
	plan, err = do(serve)
	if err != nil || len(expose.DeletedCertificates(plan.Serve)) == 0 {
		return plan, err
	}
	if err := expose.AwaitLateSecrets(ctx, time.Now()); err != nil {
		return plan, err
	}
	return do(serve) // the Secrets that came late
}

// applyTLS looks, decides and makes one part of the changes, as far as they were agreed to. When somebody changes an object in
// between it looks again.
func applyTLS(ctx context.Context, c *cluster.Client, agreed *consent, o expose.Options, address string, part func(Plan) []cluster.Change) (Plan, error) {
	for tries := 1; ; tries++ {
		view := c.View()
		t, err := expose.Read(ctx, view)
		if err != nil {
			return Plan{}, err
		}
		plan, err := NewPlan(Read(ctx, view, t, o), o, address)
		if err == nil {
			err = agreed.check(part(plan))
		}
		if err == nil {
			err = expose.Apply(ctx, c, part(plan), false)
		}
		if !apierrors.IsConflict(err) || tries == 5 {
			return plan, err
		}
	}
}

// await waits until the plan's certificate is there and good for its host. address is where the host should lead.
func (p Plan) await(ctx context.Context, c *cluster.Client, address string, tell func(problem.Error)) error {
	if p.Await == nil {
		return nil
	}
	var last problem.Error
	began := time.Now()
	for pause := 250 * time.Millisecond; ; pause = min(pause*3/2, 5*time.Second) {
		delay, err := p.issueDelay(ctx, c.View())
		if err == nil && delay.What == "" {
			return nil
		}
		if err == nil {
			delay = p.checkDNS(ctx, address, delay)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		if delay != last && ctx.Err() == nil && time.Since(began) > 2*time.Second { // most certificates are there by then
			last = delay
			tell(delay)
		}
		select {
		case <-ctx.Done():
			if last.What == "" {
				last = delay
			}
			next := "Keep waiting with the same command, or remove it with: kubectl kubeflow expose --remove"
			if last.Next != "" {
				next = last.Advice() + "\n" + next
			}
			return &problem.Error{What: fmt.Sprintf("%s is not ready: %s", p.Await, last.What), Next: next, Err: ctx.Err()}
		case <-time.After(pause):
		}
	}
}

// issueDelay says why the certificate is not there yet; an empty Delay when it is.
func (p Plan) issueDelay(ctx context.Context, view cluster.View) (problem.Error, error) {
	certificate, err := cluster.IgnoreNotFound(view.Get(ctx, *p.Await))
	if err != nil {
		return problem.Error{}, err
	}
	if certificate == nil {
		return problem.Error{What: "it was deleted"}, nil
	}
	if ready, why := condition(certificate, "Ready"); !ready {
		return challengeDelay(ctx, view, p.Await.Namespace, why), nil
	}
	secret, err := cluster.IgnoreNotFound(view.Get(ctx, p.Secret))
	if apierrors.IsForbidden(err) {
		return problem.Error{}, nil // cert-manager says that it is there
	}
	if err != nil || secret == nil {
		return problem.Error{What: "its Secret does not exist yet"}, err
	}
	if leaf, err := leafOf(secret); err != nil || !p.covers(leaf) {
		return problem.Error{What: "it is being reissued for " + p.Host}, nil
	}
	return problem.Error{}, nil
}

// condition reads a condition of an object.
func condition(o *unstructured.Unstructured, kind string) (is bool, why string) {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, item := range conditions {
		if c, ok := item.(map[string]any); ok && c["type"] == kind {
			why, _ = c["message"].(string)
			return c["status"] == "True", why
		}
	}
	return false, ""
}

var challenges = schema.GroupKind{Group: "acme.cert-manager.io", Kind: "Challenge"}

// challengeDelay says what an authority waits for, where it is one that asks; else what cert-manager says.
func challengeDelay(ctx context.Context, view cluster.View, namespace, why string) problem.Error {
	all, _ := cluster.IgnoreNoMatch(view.List(ctx, challenges, cluster.Scope{Namespace: namespace}))
	for _, challenge := range all {
		if reason, _, _ := unstructured.NestedString(challenge.Object, "status", "reason"); reason != "" {
			return problem.Error{What: text.FirstLine(reason)}
		}
	}
	if why == "" {
		return problem.Error{What: "cert-manager has not reported on it yet", Next: "Check its pods", Command: "kubectl get pods -n cert-manager"}
	}
	return problem.Error{What: text.FirstLine(why)}
}

// checkDNS adds where the host's name leads, where that is what is missing.
func (p Plan) checkDNS(ctx context.Context, address string, delay problem.Error) problem.Error {
	if address == "" || net.ParseIP(p.Host) != nil || p.Host == "" {
		return delay
	}
	asking, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	if found, _ := net.DefaultResolver.LookupHost(asking, p.Host); !slices.Contains(found, address) && ctx.Err() == nil {
		delay.Next = fmt.Sprintf("Point the name %s to %s with a DNS record of type A", p.Host, address)
	}
	return delay
}

// CA returns who the plan's certificate is of, as the cluster says; nil when everybody knows, or when it may not be read.
func (p Plan) CA(ctx context.Context, view cluster.View) *x509.CertPool {
	return readCA(ctx, view, p.Secret)
}

// CA returns who the certificate is of that expose lets the gateway serve.
func CA(ctx context.Context, view cluster.View, t expose.Target) *x509.CertPool {
	return readCA(ctx, view, secretRef(t.Namespace(), servedSecret(t.IstioGateway)))
}

func readCA(ctx context.Context, view cluster.View, secret cluster.Ref) *x509.CertPool {
	if secret.Name == "" {
		return nil
	}
	o, err := view.Get(ctx, secret)
	if err != nil {
		return nil
	}
	return caOf(o)
}
