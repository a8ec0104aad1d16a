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

// Secure is the second part of an exposure, which needs the address: it issues the certificate, and makes the gateway serve it
// once it exists. agreed is the target, from [Read], whose plan the user agreed to: Secure changes nothing beyond what [NewPlan]
// plans for it and the address; nil sets no such limit. notify reports why the certificate takes long.
func Secure(ctx context.Context, c *cluster.Client, agreed *Target, o expose.Options, address string, notify func(problem.Error)) (Plan, error) {
	limit, err := consentFor(agreed, o, address)
	if err != nil {
		return Plan{}, err
	}
	do := func(part func(Plan) []cluster.Change) (Plan, error) {
		return applyPart(ctx, c, limit, o, address, part)
	}
	var plan Plan
	if limit != nil { // a plan without changes allows none, so there is nothing to read
		plan = limit.plan
	}
	if limit == nil || len(plan.Issue) > 0 {
		if plan, err = do(func(p Plan) []cluster.Change { return p.Issue }); err != nil {
			return plan, err
		}
	}
	if err := plan.await(ctx, c, address, notify); err != nil {
		return plan, err
	}
	if limit != nil && len(limit.plan.Serve) == 0 {
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
	return do(serve) // the Secrets that were written late
}

// applyPart reads the cluster, plans, and applies one part of the changes, within the consent. After a conflict it starts again.
func applyPart(ctx context.Context, c *cluster.Client, agreed *consent, o expose.Options, address string, part func(Plan) []cluster.Change) (Plan, error) {
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

// await waits until the plan's certificate exists and is valid for its host. address is what the host should resolve to.
func (p Plan) await(ctx context.Context, c *cluster.Client, address string, notify func(problem.Error)) error {
	if p.Await == nil {
		return nil
	}
	var last problem.Error
	started := time.Now()
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
		if delay != last && ctx.Err() == nil && time.Since(started) > 2*time.Second { // most certificates exist by then
			last = delay
			notify(delay)
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

// issueDelay returns why the certificate does not exist yet; an empty Delay when it does.
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
		return problem.Error{}, nil // cert-manager reports it as ready
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

// challengeDelay returns what an ACME challenge waits for; without one, the reason of cert-manager.
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

// checkDNS adds advice if the host does not resolve to the address.
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

// CA returns the private CA of the plan's certificate; nil for a public CA, or if it cannot be read.
func (p Plan) CA(ctx context.Context, view cluster.View) *x509.CertPool {
	return readCA(ctx, view, p.Secret)
}

// CA returns the private CA of the certificate that expose makes the gateway serve.
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
