package uninstall

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// A Plan is what an uninstall deletes, in order, and what it keeps and why. Making one changes nothing.
type Plan struct {
	Name      string        `json:"name"`
	Release   string        `json:"release,omitempty"`
	Waves     []Wave        `json:"waves"`             // each one is deleted before the next one starts
	Keep      []Kept        `json:"keep,omitempty"`    // kept, with the reason
	Beyond    []cluster.Ref `json:"outside,omitempty"` // what of it is cluster-scoped, or in a namespace that is not Kubeflow's
	Data      Data          `json:"data"`              // the users': deleted with --delete-data, kept without
	LeftOvers []Kept        `json:"left,omitempty"`    // not installed by this program, and no longer of use

	remainingEntries []inventory.Entry            `json:"-"` // what the inventory still lists afterwards
	preExisting      []*unstructured.Unstructured `json:"-"` // namespaces that are kept, and lose the labels that an install set
	have             *inventory.Inventory
}

// A Wave is a set of objects that can be deleted at the same time.
type Wave struct {
	Title   string
	Objects []*unstructured.Unstructured // as they are on the cluster, metadata only

	phase phase
}

// MarshalJSON writes the names of the objects.
func (w Wave) MarshalJSON() ([]byte, error) {
	refs := make([]cluster.Ref, len(w.Objects))
	for i, o := range w.Objects {
		refs[i] = cluster.RefOf(o)
	}
	return json.Marshal(map[string]any{"title": w.Title, "objects": refs})
}

// Kept is an object that is not deleted.
type Kept struct {
	Ref    cluster.Ref `json:"object"`
	Why    string      `json:"why"`
	Listed bool        `json:"-"` // the inventory still lists it: an uninstall with --delete-data, or a later one, deletes it
}

// A phase is a step of an uninstall. Callers are deleted before what they call; custom resources, which may need their
// controller to finish the deletion, before workloads and CRDs.
type phase int

const (
	external    phase = iota // what doctor and expose created: the address is released first
	webhooks                 // and APIServices: before the workloads that serve them
	userObjects              // with --delete-data
	profiles                 // and their namespaces
	customResources
	workloads
	settings // everything else
	crds
	namespaces
	stateNamespace // the namespace of the records, with them
)

var phaseTitles = map[phase]string{
	external: "addresses and records", webhooks: "webhooks", userObjects: "users' objects", profiles: "profiles", customResources: "custom resources",
	workloads: "workloads", settings: "settings", crds: "definitions", namespaces: "namespaces", stateNamespace: "records",
}

// phaseOf returns the phase in which an object of a kind is deleted.
func phaseOf(kind schema.GroupKind) phase {
	switch {
	case kind == kube.MutatingWebhookConfigurationKind, kind == kube.ValidatingWebhookConfigurationKind, kind == kube.APIServiceKind:
		return webhooks
	case kind == kube.ProfileKind:
		return profiles
	case kind == kube.CustomResourceDefinitionKind:
		return crds
	case kind == kube.NamespaceKind:
		return namespaces
	case !kube.BuiltIn(kind):
		return customResources
	case slices.Contains(apply.KindsWithReadiness, kind.String()), kind.String() == "CronJob.batch":
		return workloads
	}
	return settings
}

// Refs returns references to everything that is deleted, in order.
func (r *Plan) Refs() []cluster.Ref {
	var refs []cluster.Ref
	for _, wave := range r.Waves {
		for _, o := range wave.Objects {
			refs = append(refs, cluster.RefOf(o))
		}
	}
	return refs
}

// wave returns the objects of a phase, nil if it has none.
func (r *Plan) wave(p phase) []*unstructured.Unstructured {
	for _, wave := range r.Waves {
		if wave.phase == p {
			return wave.Objects
		}
	}
	return nil
}

// Extras returns the objects of other commands of this program that are deleted as well.
func (r *Plan) Extras() []*unstructured.Unstructured { return r.wave(external) }

// reason returns why the plan keeps an object; "" if it does not list it.
func (r *Plan) reason(ref cluster.Ref) string {
	for _, kept := range r.Keep {
		if kept.Ref.Identity() == ref.Identity() {
			return kept.Why
		}
	}
	return ""
}

// Complete reports whether nothing remains that the inventory has to list.
func (r *Plan) Complete() bool { return len(r.remainingEntries) == 0 }

// A Request is what should be deleted.
type Request struct {
	Inventory  *inventory.Inventory
	Others     []*inventory.Inventory       // the other installations on the cluster: what they also list is kept
	Extras     []*unstructured.Unstructured // what other commands of this program created
	DeleteData bool
	Agreed     *Plan // the plan that the user confirmed: nothing beyond it is deleted; nil for no such limit
}

// Decide decides what is deleted, in which order, and what is kept.
func Decide(request Request, survey *Snapshot) *Plan {
	d := newPlanner(request, survey)
	d.classifyEntries()
	d.addUserData()
	for _, o := range request.Extras {
		if live := survey.find(cluster.RefOf(o)); live != nil && (inventory.Ours(live) || live.GetKind() == kube.SecretKind.Kind) { // a label alone deletes nothing; cert-manager writes Secrets for expose
			d.add(external, live)
		}
	}
	d.decideCRDs()
	d.decideNamespaces()
	d.decideStateNamespace()
	d.measureData()
	d.findLeftOvers()
	return d.finish()
}

// finish puts the waves in order.
func (d *planner) finish() *Plan {
	for p := external; p <= stateNamespace; p++ {
		objects := d.waves[p]
		if len(objects) == 0 {
			continue
		}
		slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int {
			return cmp.Or(cmp.Compare(a.GetKind(), b.GetKind()), cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
		})
		d.plan.Waves = append(d.plan.Waves, Wave{Title: phaseTitles[p], Objects: objects, phase: p})
	}
	d.plan.Beyond = d.outside()
	for _, kept := range d.plan.Keep {
		if kept.Listed {
			d.plan.remainingEntries = append(d.plan.remainingEntries, d.entries[kept.Ref.Identity()])
		}
	}
	return d.plan
}

// Options say how a Plan is carried out.
type Options struct {
	Timeout  time.Duration      // for the whole uninstall
	Patience time.Duration      // how long to wait for stuck objects while nothing else is deleted either; 0 means two minutes
	NoWait   bool               // do not wait for the namespaces, which come last
	Parallel int                // concurrent requests; 0 means 16
	Observe  func(events.Event) // may be nil
}

// Result is the result of an uninstall.
type Result struct {
	Removed   []cluster.Ref `json:"removed"`
	Keep      []Kept        `json:"kept,omitempty"`
	LeftOvers []Kept        `json:"left,omitempty"`
	Record    bool          `json:"record"` // the inventory is kept, and lists what was kept
}
