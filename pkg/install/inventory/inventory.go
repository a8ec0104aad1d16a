package inventory

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// An Inventory is the record, in the cluster, of the objects that one install applied. It is a ConfigMap in the namespace of
// [state]. This program deletes only what it lists, and of that only what shows that this program wrote it.
type Inventory struct {
	Name         string // the installation's name
	Release      string // "26.03"; empty if it is not a known release
	Source       []release.Pin
	Objects      []Entry
	Uninstalled  bool // it was uninstalled, and Objects are what was kept: users' data, and what that needs
	Uninstalling bool // an uninstall has started and has not finished

	Live *unstructured.Unstructured // as it is stored; nil if it is not
	Old  *unstructured.Unstructured // the record of an older version, in another namespace, which is still to be taken over
}

// An Entry is one installed object, and the component it came with ("" in records of an older program). Applied is a hash of what was applied, Fields of the fields this program owned
// then; both are empty while the object is not known to be applied. Replicas is how many pods a workload was installed with, and Owned
// those fields themselves, as managedFields have them; records of an older program have neither.
type Entry struct {
	cluster.Ref
	Component   string `json:"component,omitempty"`
	Applied     string `json:"applied,omitempty"`
	Fields      string `json:"fields,omitempty"`
	Replicas    int64  `json:"replicas,omitempty"`
	Stopped     bool   `json:"stopped,omitempty"` // a workload that was installed with no replicas: its controller scales it when it is needed
	Owned       string `json:"-"`
	PreExisting bool   `json:"found,omitempty"` // a Namespace that existed before the install: an uninstall keeps it
}

// The labels and keys of the ConfigMap.
const (
	ManagedByLabel = state.ManagedByLabel
	partLabel      = "app.kubernetes.io/component"
	nameLabel      = "app.kubernetes.io/instance"
	inventoryLabel = "inventory"
	namePrefix     = "kubectl-kubeflow-inventory-"

	releaseKey      = "release"
	sourceKey       = "source"
	objectsKey      = "objects"
	uninstalledKey  = "remains" // "true" after an uninstall that kept something
	uninstallingKey = "leaving" // "true" while an uninstall runs, or after it was interrupted

	maxSize    = 1000 * 1000 // of the 1 MiB that an API server accepts
	maxObjects = 20000       // a complete Kubeflow has about a thousand
)

// Choose returns the inventory with the given name. Without a name it prefers one of a known release. It may be nil.
func Choose(all []*Inventory, name string) *Inventory {
	if name != "" {
		return Find(all, name)
	}
	for _, inventory := range all {
		if inventory.Release != "" {
			return inventory
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return nil
}

// Find returns the inventory of one installation, nil if there is none.
func Find(all []*Inventory, name string) *Inventory {
	for _, inventory := range all {
		if inventory.Name == name {
			return inventory
		}
	}
	return nil
}

// Refs returns references to the listed objects.
func (v *Inventory) Refs() []cluster.Ref {
	refs := make([]cluster.Ref, len(v.Objects))
	for i, entry := range v.Objects {
		refs[i] = entry.Ref
	}
	return refs
}

// Encode returns the ConfigMap that holds the inventory.
func (v *Inventory) Encode() (*unstructured.Unstructured, error) {
	source, err := json.Marshal(v.Source)
	if err != nil {
		return nil, fmt.Errorf("encoding the inventory: %w", err)
	}
	objects := []byte("[")
	for i, entry := range v.Objects {
		line, err := json.Marshal(entry)
		if err != nil {
			return nil, fmt.Errorf("encoding the inventory: %w", err)
		}
		if i > 0 {
			objects = append(objects, ',')
		}
		objects = append(append(objects, '\n'), line...)
	}
	objects = append(objects, "\n]\n"...)
	if len(objects) > maxSize || len(v.Objects) > maxObjects {
		return nil, &problem.Error{What: fmt.Sprintf("%d objects are too many for the inventory of one installation", len(v.Objects)),
			Next: "Install them in parts, each with a --name of its own"}
	}
	data := map[string]any{releaseKey: v.Release, sourceKey: string(source), objectsKey: string(objects)}
	owned, err := encodeOwned(v.Objects, maxSize-len(objects))
	if err != nil {
		return nil, err
	}
	if owned != "" {
		data[ownedKey] = owned
	}
	for key, is := range map[string]bool{uninstalledKey: v.Uninstalled, uninstallingKey: v.Uninstalling} {
		if is {
			data[key] = "true"
		}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{
			"name": namePrefix + v.Name, "namespace": state.Namespace,
			"labels": map[string]any{ManagedByLabel: Manager, partLabel: inventoryLabel, nameLabel: v.Name},
		},
		"data": data,
	}}, nil
}

// SameData reports whether a ConfigMap on the cluster already has the wanted data.
func SameData(live, want *unstructured.Unstructured) bool {
	if live == nil {
		return false
	}
	for _, key := range []string{releaseKey, sourceKey, objectsKey, ownedKey, uninstalledKey, uninstallingKey} {
		if kube.Text(live.Object, "data", key) != kube.Text(want.Object, "data", key) {
			return false
		}
	}
	return true
}

// Manager is the field manager of everything that install applies.
const Manager = state.Manager

// Entries returns the entry of each object, by its reference without the API version.
func (v *Inventory) Entries() map[cluster.Ref]Entry {
	out := map[cluster.Ref]Entry{}
	if v != nil {
		for _, e := range v.Objects {
			out[e.Ref.Identity()] = e
		}
	}
	return out
}

// Times returns when the inventory was first and last written, nil where that is unknown.
func (v *Inventory) Times() (first, last *time.Time) {
	stored := v.stored()
	if stored == nil {
		return nil, nil
	}
	if t := stored.GetCreationTimestamp(); !t.IsZero() {
		first = &t.Time
	}
	for _, entry := range stored.GetManagedFields() {
		if entry.Manager == Manager && entry.Time != nil {
			last = &entry.Time.Time
		}
	}
	return first, last
}

// Revision identifies one version of the stored inventory, "" if it is not stored.
func (v *Inventory) Revision() string {
	if v == nil || v.stored() == nil {
		return ""
	}
	return string(v.stored().GetUID()) + v.stored().GetResourceVersion()
}

func (v *Inventory) stored() *unstructured.Unstructured { return cmp.Or(v.Live, v.Old) }
