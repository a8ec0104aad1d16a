package signin

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/record"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Transition leads from how users sign in now to how they are to.
type Transition struct {
	Targets []Target
	Record  *Record // to write before anything else; nil when the identity is removed
	Subject string  // of the token that a workload identity is for; "" without one
}

// A Target is what an object is to become.
type Target struct {
	Live, Want *unstructured.Unstructured
	Reasons    []string
}

// Changes returns what differs.
func (t *Transition) Changes() []cluster.Change {
	var all []cluster.Change
	for _, target := range t.Targets {
		if !equality.Semantic.DeepEqual(target.Live.Object, target.Want.Object) {
			all = append(all, cluster.Change{Verb: cluster.Patch, Before: target.Live, After: target.Want})
		}
	}
	return all
}

// Workloads are those that users sign in with, which get new pods.
func (t *Transition) Workloads() []cluster.Ref {
	var all []cluster.Ref
	for _, target := range t.Targets {
		if Later(target.Want) && target.Want.GetNamespace() != "kubeflow" {
			all = append(all, cluster.RefOf(target.Want))
		}
	}
	return all
}

// PlanTransition decides how to get to an identity, or to none (nil), from one that a record describes (nil for none). An identity takes the
// place of another: what belongs to neither stays as it is.
func PlanTransition(ctx context.Context, view cluster.View, front Front, now *Record, to *Identity) (*Transition, error) {
	base, live, err := now.base(ctx, view, front)
	if err != nil {
		return nil, err
	}
	t := &Transition{}
	planned := map[cluster.Ref]bool{}
	if to != nil {
		plan, err := PlanIdentity(ctx, cluster.Replace(view, base), front, *to)
		if err != nil {
			return nil, err
		}
		t.Subject, t.Record = plan.Subject, &Record{Identity: *to}
		for _, e := range plan.Edits {
			id := cluster.RefOf(e.Before).Identity()
			planned[id] = true
			target := Target{Live: e.Before, Want: e.After, Reasons: e.Reasons}
			if o := live[id]; o != nil {
				target.Live = o
			}
			t.Targets = append(t.Targets, target)
			t.Record.Edits = append(t.Record.Edits, RecordedEdit{Before: recorded(e.Before), After: recorded(e.After)})
		}
	}
	if to == nil {
		if err := leavesNobody(ctx, cluster.Replace(view, base), front); err != nil {
			return nil, err
		}
	}
	for _, id := range sortedRefs(base) {
		if !planned[id] {
			t.Targets = append(t.Targets, Target{Live: live[id], Want: base[id], Reasons: []string{"it becomes what it was before"}})
		}
	}
	return t, nil
}

// leavesNobody refuses a removal after which dex would have no user and no other provider.
func leavesNobody(ctx context.Context, view cluster.View, front Front) error {
	p := &planner{ctx: ctx, view: view, identity: Identity{Via: ViaProxy}}
	var err error
	if p.dex, err = dashboard.ReadDex(ctx, view); err != nil || p.dex == nil || !p.dex.Known {
		return err
	}
	chains, _, err := dashboard.ReadSignIns(ctx, view, front.Namespace, front.Pods)
	if err != nil || len(chains) != 1 {
		return err
	}
	if p.chain = chains[0]; p.ownDex() && len(p.dex.Users) == 0 && len(p.dex.Connectors) == 0 {
		return &problem.Error{What: "without this provider, dex would have no user and no other provider, so that no user could sign in", Next: "Add another provider, which takes the place of this one, or a user to staticPasswords of dex"}
	}
	return nil
}

// base returns the objects of a record as they would be without the recorded edits, and as they are.
func (r *Record) base(ctx context.Context, view cluster.View, front Front) (base, live map[cluster.Ref]*unstructured.Unstructured, err error) {
	base, live = map[cluster.Ref]*unstructured.Unstructured{}, map[cluster.Ref]*unstructured.Unstructured{}
	if r == nil {
		return base, live, nil
	}
	var failed error
	for one := r; one != nil; one = one.Earlier {
		from, to, err := one.moved(ctx, view, front)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range one.Edits {
			id := cluster.RefOf(e.After).Identity()
			if live[id] == nil {
				if live[id], err = cluster.IgnoreNotFound(view.Get(ctx, cluster.RefOf(e.After))); err != nil {
					return nil, nil, err
				}
			}
			if live[id] == nil { // another release names its ConfigMaps differently
				delete(live, id)
				continue
			}
			if err := e.restore(base, live[id], from, to); err != nil {
				failed = err
			}
		}
	}
	for id := range live {
		if base[id] == nil { // neither run's
			return nil, nil, failed
		}
	}
	return base, live, nil
}

// restore adds to base the object without the edit; of two runs the one or the other may have got to it.
func (e RecordedEdit) restore(base map[cluster.Ref]*unstructured.Unstructured, live *unstructured.Unstructured, from, to string) error {
	id := cluster.RefOf(live).Identity()
	before, after := e.Before, e.After
	if from != to {
		before, after = before.DeepCopy(), after.DeepCopy()
		record.ReplaceURL(before, from, to)
		record.ReplaceURL(after, from, to)
	}
	if base[id] != nil {
		live = base[id]
	}
	restored, err := Restore(before, after, live)
	if err != nil {
		return err
	}
	base[id] = restored
	return nil
}

// moved returns the address of the dashboard that a record names, and the one to which expose has moved it since.
func (r *Record) moved(ctx context.Context, view cluster.View, front Front) (from, to string, err error) {
	from = r.Identity.origin()
	now := ""
	if r.Identity.Via == ViaDex {
		dex, err := dashboard.ReadDex(ctx, view)
		if err != nil || dex == nil {
			return from, from, err
		}
		now = dex.Issuer
	} else {
		chains, _, err := dashboard.ReadSignIns(ctx, view, front.Namespace, front.Pods)
		if err != nil || len(chains) != 1 {
			return from, from, err
		}
		now = chains[0].Setting("redirect_url").Value
	}
	u, err := url.Parse(now)
	if err != nil || u.Scheme != "https" || strings.HasSuffix(u.Hostname(), ".svc.cluster.local") {
		return from, from, nil
	}
	return from, "https://" + u.Host, nil
}

func sortedRefs(of map[cluster.Ref]*unstructured.Unstructured) []cluster.Ref {
	return slices.SortedFunc(maps.Keys(of), func(a, b cluster.Ref) int { return strings.Compare(a.String(), b.String()) })
}

// A Stage is a part of a transition. After each, the users of the old way can sign in or those of the new one, and mostly both.
type Stage int

// The stages, in their order.
const (
	Accept Stage = iota // add what is new beside what is there: accepted tokens, secrets, accounts
	Switch              // change the settings, and replace the pods that read them
	Settle              // remove what the old way needed
	Stages
)

// At returns what an object becomes in a stage.
func (s Stage) At(now, want *unstructured.Unstructured) *unstructured.Unstructured {
	if s == Settle {
		return want
	}
	switch now.GetKind() {
	case "RequestAuthentication":
		return withRules(now, want)
	case kube.SecretKind.Kind:
		return withKeys(now, want, s == Switch)
	case kube.ServiceAccountKind.Kind:
		if s == Accept && len(want.GetAnnotations()) < len(now.GetAnnotations()) {
			return now
		}
		return want
	}
	if s == Accept {
		return now
	}
	return want
}

// Later orders objects within a stage: workloads read the others.
func Later(o *unstructured.Unstructured) bool {
	return o.GetKind() == kube.DeploymentKind.Kind || o.GetKind() == kube.StatefulSetKind.Kind
}

// withRules adds the rules that are wanted for issuers which have none.
func withRules(now, want *unstructured.Unstructured) *unstructured.Unstructured {
	out := now.DeepCopy()
	rules, _, _ := unstructured.NestedSlice(out.Object, "spec", "jwtRules")
	for _, rule := range kube.Items(want.DeepCopy().Object, "spec", "jwtRules") {
		if !slices.ContainsFunc(rules, func(o any) bool { return mapOf(o)["issuer"] == rule["issuer"] }) {
			rules = append(rules, rule)
		}
	}
	_ = unstructured.SetNestedSlice(out.Object, rules, "spec", "jwtRules")
	return out
}

// withKeys adds the keys that are wanted and missing, and with replace also those with another value.
func withKeys(now, want *unstructured.Unstructured, replace bool) *unstructured.Unstructured {
	out := now.DeepCopy()
	for key, value := range kube.Map(want.Object, "data") {
		if _, found := kube.Map(now.Object, "data")[key]; !found || replace {
			_ = unstructured.SetNestedField(out.Object, value, "data", key)
		}
	}
	return out
}
