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

// A Removal is what an uninstall will do, in order, and what it leaves and why. Making one touches nothing.
type Removal struct {
	Name    string `json:"name"`
	Release string `json:"release,omitempty"`
	Waves   []Wave `json:"waves"`          // each is gone before the next one begins
	Keep    []Kept `json:"keep,omitempty"` // stays, with the reason
	Data    Data   `json:"data"`           // users' own: it goes with --delete-data, and stays without
	Left    []Kept `json:"left,omitempty"` // was never installed by this program, and is of no use any more

	records []inventory.Entry            // what the inventory goes on listing
	bare    []*unstructured.Unstructured // namespaces that stay, and lose what an install set on them
	have    *inventory.Inventory
}

// A Wave is a number of objects that can go at the same time.
type Wave struct {
	Title   string
	Objects []*unstructured.Unstructured // as they are on the cluster, metadata only

	phase Phase
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

// A Phase is a step of an uninstall. What calls others goes before what is called, and what is made from a definition,
// and may need its controller to go, before both.
type Phase int

const (
	outside     Phase = iota // what doctor and expose left: the address goes first
	Webhooks                 // and APIServices: before their servers
	userObjects              // of users, with --delete-data
	profiles                 // and their namespaces
	CustomObjects
	Workloads
	Settings // everything else
	Definitions
	Namespaces
	Home // the namespace of the inventory
)

var PhaseTitles = map[Phase]string{
	outside: "addresses and records", Webhooks: "webhooks", userObjects: "users' objects", profiles: "profiles", CustomObjects: "custom resources",
	Workloads: "workloads", Settings: "settings", Definitions: "definitions", Namespaces: "namespaces", Home: "last namespace",
}

// phaseOf returns when an object of a kind goes.
func phaseOf(kind schema.GroupKind) Phase {
	switch {
	case kind == kube.MutatingWebhookConfigurationKind, kind == kube.ValidatingWebhookConfigurationKind, kind == kube.APIServiceKind:
		return Webhooks
	case kind == profileKind:
		return profiles
	case kind == kube.CustomResourceDefinitionKind:
		return Definitions
	case kind == kube.NamespaceKind:
		return Namespaces
	case !kube.BuiltIn(kind):
		return CustomObjects
	case slices.Contains(apply.ComesToRest, kind.String()), kind.String() == "CronJob.batch":
		return Workloads
	}
	return Settings
}

// Refs returns the names of everything that goes, in order.
func (r *Removal) Refs() []cluster.Ref {
	var refs []cluster.Ref
	for _, wave := range r.Waves {
		for _, o := range wave.Objects {
			refs = append(refs, cluster.RefOf(o))
		}
	}
	return refs
}

// wave returns what goes in a phase, nil when nothing does.
func (r *Removal) wave(p Phase) []*unstructured.Unstructured {
	for _, wave := range r.Waves {
		if wave.phase == p {
			return wave.Objects
		}
	}
	return nil
}

// Besides returns what other commands of this program left, and what goes with this.
func (r *Removal) Besides() []*unstructured.Unstructured { return r.wave(outside) }

// reason returns why the removal keeps an object; "" when it does not speak of it.
func (r *Removal) reason(ref cluster.Ref) string {
	for _, kept := range r.Keep {
		if kept.Ref.Identity() == ref.Identity() {
			return kept.Why
		}
	}
	return ""
}

// Whole tells whether nothing is left that the inventory has to list.
func (r *Removal) Whole() bool { return len(r.records) == 0 }

// An UninstallRequest is what should go.
type UninstallRequest struct {
	Inventory  *inventory.Inventory
	Others     []*inventory.Inventory       // the other installations on the cluster: what they list as well stays
	Besides    []*unstructured.Unstructured // what other commands of this program left
	DeleteData bool
	Agreed     *Removal // what the user was shown: nothing beyond it goes, whatever comes in between; nil for no such limit
}

// NewRemoval decides what goes, in which order, and what stays.
func NewRemoval(request UninstallRequest, survey *Survey) *Removal {
	d := newDeparture(request, survey)
	d.sortEntries()
	d.takeUsers()
	for _, o := range request.Besides {
		if live := survey.find(cluster.RefOf(o)); live != nil {
			d.take(outside, live)
		}
	}
	d.judgeDefinitions()
	d.judgeNamespaces()
	d.keepHome()
	d.measure()
	d.findLeft()
	return d.finish()
}

// finish puts the waves in order.
func (d *departure) finish() *Removal {
	for p := outside; p <= Home; p++ {
		objects := d.waves[p]
		if len(objects) == 0 {
			continue
		}
		slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int {
			return cmp.Or(cmp.Compare(a.GetKind(), b.GetKind()), cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
		})
		d.removal.Waves = append(d.removal.Waves, Wave{Title: PhaseTitles[p], Objects: objects, phase: p})
	}
	for _, kept := range d.removal.Keep {
		if kept.Listed {
			d.removal.records = append(d.removal.records, d.entries[kept.Ref.Identity()])
		}
	}
	return d.removal
}

// UninstallOptions say how a Removal is carried out.
type UninstallOptions struct {
	Timeout  time.Duration      // for all of it
	Patience time.Duration      // with what cannot go by itself, as long as nothing else goes either; 0 means two minutes
	NoWait   bool               // do not wait for the last ones: namespaces
	Parallel int                // requests at once; 0 means 16
	Observe  func(events.Event) // may be nil
}

// Removed is what came of an uninstall.
type Removed struct {
	Removed []cluster.Ref `json:"removed"`
	Keep    []Kept        `json:"kept,omitempty"`
	Left    []Kept        `json:"left,omitempty"`
	Record  bool          `json:"record"` // the record of the installation stays, and lists what was kept
}
