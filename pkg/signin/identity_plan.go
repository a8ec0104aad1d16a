package signin

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Front is the gateway before the dashboard: its namespace, and the labels of its pods.
type Front struct {
	Namespace string
	Pods      labels.Set
}

// An Edit is what one object becomes, and why.
type Edit struct {
	Before, After *unstructured.Unstructured
	Reasons       []string
}

// An IdentityPlan is all that changes together so that users sign in with another provider.
type IdentityPlan struct {
	Edits   []Edit
	Subject string // of the token that a workload identity is for; "" without one
}

// PlanIdentity decides what has to change so that users sign in with an identity. The objects of the view are left alone. What cannot work
// is a *problem.Error.
func PlanIdentity(ctx context.Context, view cluster.View, front Front, i Identity) (*IdentityPlan, error) {
	if err := i.Check(); err != nil {
		return nil, err
	}
	p := &planner{ctx: ctx, view: view, identity: i}
	if err := p.read(front); err != nil {
		return nil, err
	}
	var err error
	if i.Via == ViaDex {
		err = p.viaDex()
	} else {
		err = p.viaProxy()
	}
	if err != nil {
		return nil, err
	}
	p.plan.Edits = slices.DeleteFunc(p.plan.Edits, func(e Edit) bool { return equality.Semantic.DeepEqual(e.Before.Object, e.After.Object) })
	return &p.plan, nil
}

type planner struct {
	ctx      context.Context
	view     cluster.View
	identity Identity
	dex      *dashboard.Dex
	chain    dashboard.SignIn
	rules    []*unstructured.Unstructured // the RequestAuthentications at the gateway
	plan     IdentityPlan
}

// read reads the chain from the gateway to the provider as it is.
func (p *planner) read(front Front) error {
	var err error
	if p.dex, err = dashboard.ReadDex(p.ctx, p.view); err != nil {
		return err
	}
	chains, rules, err := dashboard.ReadSignIns(p.ctx, p.view, front.Namespace, front.Pods)
	if err != nil {
		return err
	}
	p.rules = rules
	const see = "See how users sign in with: kubectl kubeflow auth"
	switch {
	case len(chains) == 0:
		return &problem.Error{What: "there is no oauth2-proxy and no authservice on this cluster, so nothing signs users in", Next: "Install a release from 1.3 on with its authentication"}
	case len(chains) > 1:
		return &problem.Error{What: fmt.Sprintf("the gateway asks %d authenticators", len(chains)), Next: see}
	}
	p.chain = chains[0]
	switch {
	case p.chain.Refused != nil:
		return p.chain.Refused
	case p.chain.Hidden != "":
		return &problem.Error{What: fmt.Sprintf("the settings of %s are not known: %s", p.chain.Product, p.chain.Hidden), Next: see}
	case p.identity.Via == ViaProxy && p.chain.Product != ViaProxy:
		return &problem.Error{What: "this release signs users in with " + p.chain.Product + ", which cannot be moved to another provider safely", Next: "Let dex ask the provider: --via dex"}
	case p.identity.Via == ViaDex && p.dex == nil:
		return &problem.Error{What: "there is no dex on this cluster", Next: "Let oauth2-proxy ask the provider itself: --via oauth2-proxy"}
	case p.identity.Via == ViaDex && p.dex.Refused != nil:
		return p.dex.Refused
	case p.identity.Via == ViaDex && (!p.dex.Known || p.dex.Issuer == "" || p.dex.Config.Object == nil):
		return &problem.Error{What: "the configuration of dex could not be read", Next: see}
	case p.identity.Via == ViaDex && !p.ownDex():
		return &problem.Error{What: fmt.Sprintf("%s signs users in with %s, and not with dex", p.chain.Product, p.issuer()), Next: "Let oauth2-proxy ask the provider itself: --via oauth2-proxy"}
	}
	return nil
}

// issuer is the one whose tokens users get now.
func (p *planner) issuer() string {
	if p.chain.Product == ViaProxy {
		return p.chain.Setting("oidc_issuer_url").Value
	}
	return p.chain.Setting("OIDC_PROVIDER").Value
}

func (p *planner) ownDex() bool {
	issuer := p.issuer()
	return issuer == p.dex.Issuer || p.dex.Serves(issuer)
}

// edit edits an object of the plan, and notes why if that changes it.
func (p *planner) edit(o *unstructured.Unstructured, reason string, edit func(*unstructured.Unstructured)) {
	at := slices.IndexFunc(p.plan.Edits, func(e Edit) bool { return cluster.RefOf(e.Before).Identity() == cluster.RefOf(o).Identity() })
	if at < 0 {
		at = len(p.plan.Edits)
		p.plan.Edits = append(p.plan.Edits, Edit{Before: o, After: o.DeepCopy()})
	}
	e := &p.plan.Edits[at]
	before := e.After.DeepCopy()
	edit(e.After)
	if !equality.Semantic.DeepEqual(before.Object, e.After.Object) && !slices.Contains(e.Reasons, reason) {
		e.Reasons = append(e.Reasons, reason)
	}
}

// planned returns an object as the plan has it so far.
func (p *planner) planned(o *unstructured.Unstructured) *unstructured.Unstructured {
	for _, e := range p.plan.Edits {
		if cluster.RefOf(e.Before).Identity() == cluster.RefOf(o).Identity() {
			return e.After
		}
	}
	return o
}

// restart plans new pods for workloads, which read what is edited when they start. An annotation tells which revision they have read, so
// that an interrupted run is completed and a repeated one restarts nothing.
func (p *planner) restart(workloads ...*unstructured.Unstructured) {
	for _, w := range workloads {
		p.edit(w, "its pods read the settings when they start", func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(o.Object, p.identity.Revision, "spec", "template", "metadata", "annotations", revisionAnnotation)
		})
	}
}

const revisionAnnotation = "kubectl-kubeflow/sign-in"

// set sets a value that a program reads from a key of a ConfigMap or Secret.
func (p *planner) set(s dashboard.Setting, name, value, reason string) error {
	if s.Value == value && s.Known {
		return nil
	}
	if s.Object == nil || s.Key == "" {
		where := "in its arguments or its environment"
		if s.Object != nil {
			where = "in " + cluster.RefOf(s.Object).String()
		}
		return &problem.Error{What: fmt.Sprintf("%s has the setting %s %s", p.chain.Product, name, where), Next: "Move it to its ConfigMap or Secret, as the release has it"}
	}
	p.edit(s.Object, reason, func(o *unstructured.Unstructured) { setData(o, s.Key, value) })
	return nil
}

// setData sets a value of a ConfigMap or Secret.
func setData(o *unstructured.Unstructured, key, value string) {
	if o.GetKind() == kube.SecretKind.Kind {
		unstructured.RemoveNestedField(o.Object, "stringData", key) // of manifests, where it takes precedence
		value = base64.StdEncoding.EncodeToString([]byte(value))
	}
	_ = unstructured.SetNestedField(o.Object, value, "data", key)
}

// setFile sets settings in the configuration file of oauth2-proxy: as TOML writes them, or "" to remove them.
func (p *planner) setFile(to map[string]string, reason string) error {
	file, key := p.proxyFile()
	if file == nil {
		return &problem.Error{What: "the configuration file of oauth2-proxy was not found", Next: "See how users sign in with: kubectl kubeflow auth"}
	}
	for name := range to {
		s := p.chain.Setting(name)
		if s.Set && (s.Object == nil || cluster.RefOf(s.Object) != cluster.RefOf(file)) { // it takes precedence over the file
			return &problem.Error{What: fmt.Sprintf("oauth2-proxy has the setting %s outside of its configuration file", name), Next: "Move it to the file, as the release has it"}
		}
	}
	edited, ok := dashboard.EditProxyFile(kube.Text(p.planned(file).Object, "data", key), to)
	if !ok {
		return &problem.Error{What: "the configuration file of oauth2-proxy is written in a way that cannot be edited safely", Next: "Configure the provider by hand, as oauth2-proxy documents it"}
	}
	p.edit(file, reason, func(o *unstructured.Unstructured) { _ = unstructured.SetNestedField(o.Object, edited, "data", key) })
	return nil
}

// endSessions adds that sessions of the old issuer end: oauth2-proxy would pass on their tokens, which the gateway rejects, for as long as
// their cookies last.
func (p *planner) endSessions(to map[string]string) {
	name := p.chain.Setting("cookie_name").Value
	if name == "" {
		name = "_oauth2_proxy"
	}
	if suffix := "_" + strings.ReplaceAll(p.identity.Name, "-", "_") + "_" + p.identity.Revision; !strings.HasSuffix(name, suffix) {
		to["cookie_name"] = strconv.Quote(name + suffix)
	}
}

// proxyFile returns the ConfigMap with the configuration file of oauth2-proxy, and its key there.
func (p *planner) proxyFile() (*unstructured.Unstructured, string) {
	for _, name := range []string{"oidc_issuer_url", "redirect_url", "upstreams", "provider"} {
		if s := p.chain.Setting(name); s.Set && s.Known && s.Object != nil && s.Object.GetKind() == kube.ConfigMapKind.Kind && strings.HasSuffix(s.Field, proxyFile) {
			return s.Object, proxyFile
		}
	}
	return nil, ""
}

const proxyFile = "oauth2_proxy.cfg"

// people calls edit for each entry of the gateway's RequestAuthentications that is for tokens of an issuer, and returns how many there are.
func (p *planner) people(issuer, reason string, edit func(rule map[string]any)) int {
	found := 0
	for _, policy := range p.rules {
		if !slices.ContainsFunc(kube.Items(policy.Object, "spec", "jwtRules"), func(r map[string]any) bool { return kube.Text(r, "issuer") == issuer }) {
			continue
		}
		p.edit(policy, reason, func(o *unstructured.Unstructured) {
			for _, rule := range kube.Items(o.Object, "spec", "jwtRules") {
				if kube.Text(rule, "issuer") == issuer {
					found++
					edit(rule)
				}
			}
		})
	}
	return found
}

// accepts fails unless the gateway accepts tokens of an issuer: another one would be a fault that is there already.
func (p *planner) accepts(found int, issuer string) error {
	if found > 0 || p.chain.Product != ViaProxy || len(p.rules) == 0 {
		return nil
	}
	return &problem.Error{What: fmt.Sprintf("the gateway does not accept tokens of %s, so users cannot sign in now", issuer), Next: "Find out why with: kubectl kubeflow doctor auth"}
}
