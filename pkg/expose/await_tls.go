package expose

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

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Secure does the second half of an exposure, for which the address had to be there: it gets the certificate, and lets the
// gateway serve it when it has come. Without anything to do it does nothing. agreed is what the user's consent rests on, from
// [Target.WithTLS]: Secure changes nothing beyond what [PlanTLS] makes of that and the address; nil is no such limit. tell
// reports why the certificate takes long.
func Secure(ctx context.Context, c *cluster.Client, agreed *Target, o Options, address string, tell func(Delay)) (TLSPlan, error) {
	agreement, err := agreedFor(agreed, o, address)
	if err != nil {
		return TLSPlan{}, err
	}
	do := func(part func(TLSPlan) []cluster.Change) (TLSPlan, error) {
		return applyTLS(ctx, c, agreement, o, address, part)
	}
	var plan TLSPlan
	if agreement != nil { // without changes in it there is nothing to look for: more than was agreed to is refused
		plan = agreement.plan
	}
	if agreement == nil || len(plan.Issue) > 0 {
		if plan, err = do(func(p TLSPlan) []cluster.Change { return p.Issue }); err != nil {
			return plan, err
		}
	}
	if err := plan.await(ctx, c, address, tell); err != nil {
		return plan, err
	}
	if agreement != nil && len(agreement.plan.Serve) == 0 {
		return plan, nil
	}
	serve := func(p TLSPlan) []cluster.Change { return p.Serve }
	plan, err = do(serve)
	if err != nil || len(certificatesAmong(plan.Serve)) == 0 {
		return plan, err
	}
	if err := settle(ctx, time.Now()); err != nil {
		return plan, err
	}
	return do(serve) // the Secrets that came late
}

// applyTLS looks, decides and makes one part of the changes, as far as they were agreed to. When somebody changes an object in
// between it looks again.
func applyTLS(ctx context.Context, c *cluster.Client, agreed *agreement, o Options, address string, part func(TLSPlan) []cluster.Change) (TLSPlan, error) {
	for tries := 1; ; tries++ {
		view := c.View()
		t, err := Look(ctx, view)
		if err != nil {
			return TLSPlan{}, err
		}
		t = t.WithTLS(ctx, view, o)
		plan, err := PlanTLS(t, o, address)
		if err == nil {
			err = agreed.check(part(plan))
		}
		if err == nil {
			err = Apply(ctx, c, part(plan), false)
		}
		if !apierrors.IsConflict(err) || tries == 5 {
			return plan, err
		}
	}
}

// await waits until the plan's certificate is there and good for its host. address is where the host should lead.
func (p TLSPlan) await(ctx context.Context, c *cluster.Client, address string, tell func(Delay)) error {
	if p.Await == nil {
		return nil
	}
	var last Delay
	began := time.Now()
	for pause := 250 * time.Millisecond; ; pause = min(pause*3/2, 5*time.Second) {
		delay, err := p.issued(ctx, c.View())
		if err == nil && delay.Why == "" {
			return nil
		}
		if err == nil {
			delay = p.elsewhere(ctx, address, delay)
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
			if last.Why == "" {
				last = delay
			}
			next := "Go on waiting with the same command, or take it back with: kubectl kubeflow expose --remove"
			if last.Advice != "" {
				next = last.Next() + "\n" + next
			}
			return &cluster.Problem{What: fmt.Sprintf("%s is not ready: %s", p.Await, last.Why), Next: next, Err: ctx.Err()}
		case <-time.After(pause):
		}
	}
}

// issued says why the certificate is not there yet; an empty Delay when it is.
func (p TLSPlan) issued(ctx context.Context, view cluster.View) (Delay, error) {
	certificate, err := found(view.Get(ctx, *p.Await))
	if err != nil {
		return Delay{}, err
	}
	if certificate == nil {
		return Delay{Why: "somebody deleted it"}, nil
	}
	if ready, why := condition(certificate, "Ready"); !ready {
		return challenged(ctx, view, p.Await.Namespace, why), nil
	}
	secret, err := found(view.Get(ctx, p.Secret))
	if apierrors.IsForbidden(err) {
		return Delay{}, nil // cert-manager says that it is there
	}
	if err != nil || secret == nil {
		return Delay{Why: "its Secret is not there yet"}, err
	}
	if leaf, err := leafOf(secret); err != nil || !p.covers(leaf) {
		return Delay{Why: "it is made anew for " + p.Host}, nil
	}
	return Delay{}, nil
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

// challenged says what an authority waits for, where it is one that asks; else what cert-manager says.
func challenged(ctx context.Context, view cluster.View, namespace, why string) Delay {
	all, _ := optional(view.List(ctx, challenges, cluster.Scope{Namespace: namespace}))
	for _, challenge := range all {
		if reason, _, _ := unstructured.NestedString(challenge.Object, "status", "reason"); reason != "" {
			return Delay{Why: firstLine(reason)}
		}
	}
	if why == "" {
		return Delay{Why: "cert-manager has not said anything about it yet", Advice: "See whether it runs", Command: "kubectl get pods -n cert-manager"}
	}
	return Delay{Why: firstLine(why)}
}

// elsewhere adds where the host's name leads, where that is what is missing.
func (p TLSPlan) elsewhere(ctx context.Context, address string, delay Delay) Delay {
	if address == "" || net.ParseIP(p.Host) != nil || p.Host == "" {
		return delay
	}
	asking, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	if found, _ := net.DefaultResolver.LookupHost(asking, p.Host); !slices.Contains(found, address) && ctx.Err() == nil {
		delay.Advice = fmt.Sprintf("Let the name %s lead to %s, by a record of type A", p.Host, address)
	}
	return delay
}

// Authority returns who the plan's certificate is of, as the cluster says; nil when everybody knows, or when it may not be read.
func (p TLSPlan) Authority(ctx context.Context, view cluster.View) *x509.CertPool {
	return authority(ctx, view, p.Secret)
}

// Authority returns who the certificate is of that expose lets the gateway serve.
func Authority(ctx context.Context, view cluster.View, t Target) *x509.CertPool {
	return authority(ctx, view, secretRef(t.Namespace(), ourCredential(t.IstioGateway)))
}

func authority(ctx context.Context, view cluster.View, secret cluster.Ref) *x509.CertPool {
	if secret.Name == "" {
		return nil
	}
	o, err := view.Get(ctx, secret)
	if err != nil {
		return nil
	}
	return authorityOf(o)
}
