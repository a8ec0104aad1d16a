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

// A Plan is what an uninstall will do, in order, and what it leaves and why. Making one touches nothing.
type Plan struct {
	Name      string `json:"name"`
	Release   string `json:"release,omitempty"`
	Waves     []Wave `json:"waves"`          // each is gone before the next one begins
	Keep      []Kept `json:"keep,omitempty"` // stays, with the reason
	Data      Data   `json:"data"`           // users' own: it goes with --delete-data, and stays without
	LeftOvers []Kept `json:"left,omitempty"` // was never installed by this program, and is of no use any more

	remainingEntries []inventory.Entry            `json:"-"` // what the inventory goes on listing
	preExisting      []*unstructured.Unstructured `json:"-"` // namespaces that stay, and lose what an install set on them
	have             *inventory.Inventory
}

// A Wave is a number of objects that can go at the same time.
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

// Kept is an object that stays.
type Kept struct {
	Ref    cluster.Ref `json:"object"`
	Why    string      `json:"why"`
	Listed bool        `json:"-"` // the inventory goes on listing it: an uninstall with --delete-data, or a later one, takes it off
}

// A phase is a step of an uninstall. What calls others goes before what is called, and what is made from a definition,
// and may need its controller to go, before both.
type phase int

const (
	external    phase = iota // what doctor and expose left: the address goes first
	webhooks                 // and APIServices: before their servers
	userObjects              // of users, with --delete-data
	profiles                 // and their namespaces
	customResources
	workloads
	settings // everything else
	crds
	namespaces
	inventoryNamespace // the namespace of the inventory
)

var phaseTitles = map[phase]string{
	external: "addresses and records", webhooks: "webhooks", userObjects: "users' objects", profiles: "profiles", customResources: "custom resources",
	workloads: "workloads", settings: "settings", crds: "definitions", namespaces: "namespaces", inventoryNamespace: "last namespace",
}

// phaseOf returns when an object of a kind goes.
func phaseOf(kind schema.GroupKind) phase {
	switch {
	case kind == kube.MutatingWebhookConfigurationKind, kind == kube.ValidatingWebhookConfigurationKind, kind == kube.APIServiceKind:
		return webhooks
	case kind == profileKind:
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

// Refs returns the names of everything that goes, in order.
func (r *Plan) Refs() []cluster.Ref {
	var refs []cluster.Ref
	for _, wave := range r.Waves {
		for _, o := range wave.Objects {
			refs = append(refs, cluster.RefOf(o))
		}
	}
	return refs
}

// wave returns what goes in a phase, nil when nothing does.
func (r *Plan) wave(p phase) []*unstructured.Unstructured {
	for _, wave := range r.Waves {
		if wave.phase == p {
			return wave.Objects
		}
	}
	return nil
}

// Extras returns what other commands of this program left, and what goes with this.
func (r *Plan) Extras() []*unstructured.Unstructured { return r.wave(external) }

// reason returns why the removal keeps an object; "" when it does not speak of it.
func (r *Plan) reason(ref cluster.Ref) string {
	for _, kept := range r.Keep {
		if kept.Ref.Identity() == ref.Identity() {
			return kept.Why
		}
	}
	return ""
}

// Complete tells whether nothing is left that the inventory has to list.
func (r *Plan) Complete() bool { return len(r.remainingEntries) == 0 }

// An Request is what should go.
type Request struct {
	Inventory  *inventory.Inventory
	Others     []*inventory.Inventory       // the other installations on the cluster: what they list as well stays
	Extras     []*unstructured.Unstructured // what other commands of this program left
	DeleteData bool
	Agreed     *Plan // what the user was shown: nothing beyond it goes, whatever comes in between; nil for no such limit
}

// Decide decides what goes, in which order, and what stays.
func Decide(request Request, survey *Snapshot) *Plan {
	d := newPlanner(request, survey)
	d.classifyEntries()
	d.addUserData()
	for _, o := range request.Extras {
		if live := survey.find(cluster.RefOf(o)); live != nil {
			d.add(external, live)
		}
	}
	d.decideCRDs()
	d.decideNamespaces()
	d.keepInventoryNamespace()
	d.measureData()
	d.findLeftOvers()
	return d.finish()
}

// finish puts the waves in order.
func (d *planner) finish() *Plan {
	for p := external; p <= inventoryNamespace; p++ {
		objects := d.waves[p]
		if len(objects) == 0 {
			continue
		}
		slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int {
			return cmp.Or(cmp.Compare(a.GetKind(), b.GetKind()), cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
		})
		d.plan.Waves = append(d.plan.Waves, Wave{Title: phaseTitles[p], Objects: objects, phase: p})
	}
	for _, kept := range d.plan.Keep {
		if kept.Listed {
			d.plan.remainingEntries = append(d.plan.remainingEntries, d.entries[kept.Ref.Identity()])
		}
	}
	return d.plan
}

// Options say how a Removal is carried out.
type Options struct {
	Timeout  time.Duration      // for all of it
	Patience time.Duration      // with what cannot go by itself, as long as nothing else goes either; 0 means two minutes
	NoWait   bool               // do not wait for the last ones: namespaces
	Parallel int                // requests at once; 0 means 16
	Observe  func(events.Event) // may be nil
}

// Result is what came of an uninstall.
type Result struct {
	Removed   []cluster.Ref `json:"removed"`
	Keep      []Kept        `json:"kept,omitempty"`
	LeftOvers []Kept        `json:"left,omitempty"`
	Record    bool          `json:"record"` // the record of the installation stays, and lists what was kept
}
