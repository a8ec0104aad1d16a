package uninstall

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// Data is the users' data in a Kubeflow installation: what would be lost.
type Data struct {
	Volumes    []Volume `json:"volumes,omitempty"`
	Profiles   []string `json:"profiles,omitempty"`
	Namespaces []string `json:"namespaces,omitempty"` // created for Profiles; deleted with everything in them
	Objects    []Count  `json:"objects,omitempty"`    // runs, notebooks, experiments …, by kind
}

// A Volume is a PVC and what is stored in it.
type Volume struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Size      string `json:"size,omitempty"`
	Retained  string `json:"retained,omitempty"` // the PersistentVolume that is kept even so: its reclaim policy is Retain
}

// A Count is the number of objects of a kind.
type Count struct {
	Kind  string `json:"kind"` // Workflow.argoproj.io
	Count int    `json:"count"`
}

// Empty reports whether there is no data.
func (d Data) Empty() bool {
	return len(d.Volumes)+len(d.Profiles)+len(d.Namespaces)+len(d.Objects) == 0
}

// addUserData adds, with --delete-data, what users created: Profiles, the profile namespaces, the objects of Kubeflow's kinds
// there and in Kubeflow's own namespaces, and the PVCs there. Objects elsewhere belong to other users.
func (d *planner) addUserData() {
	if !d.request.DeleteData {
		return
	}
	for _, o := range d.profileNamespaces() {
		d.add(profiles, o)
	}
	if d.ownKinds[kube.ProfileKind] {
		for _, o := range d.snapshot.objects[kube.ProfileKind] {
			d.add(profiles, o)
		}
	}
	for _, o := range d.userResources() {
		d.add(userObjects, o)
	}
	for _, o := range d.snapshot.objects[kube.PersistentVolumeClaimKind] {
		if d.namespaces[o.GetNamespace()] && d.unshared(o) {
			d.add(settings, o)
		}
	}
}

// profileNamespaces returns the namespaces that were created for Profiles of this Kubeflow.
func (d *planner) profileNamespaces() []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, o := range d.snapshot.objects[kube.NamespaceKind] {
		if isProfileNamespace(o) && (d.ownKinds[kube.ProfileKind] || d.entries[cluster.RefOf(o).Identity()].Name != "") {
			out = append(out, o)
		}
	}
	return out
}

// userResources returns the custom resources that users or programs created from Kubeflow's CRDs, without those that another one owns.
func (d *planner) userResources() []*unstructured.Unstructured {
	spaces := maps.Clone(d.namespaces)
	for _, o := range d.profileNamespaces() {
		spaces[o.GetName()] = true
	}
	var out []*unstructured.Unstructured
	for _, kind := range d.snapshot.kinds {
		if !d.ownKinds[kind.GroupKind] || kind.GroupKind == kube.ProfileKind {
			continue
		}
		for _, o := range d.snapshot.objects[kind.GroupKind] {
			_, listed := d.entries[cluster.RefOf(o).Identity()]
			inside := spaces[o.GetNamespace()] || !kind.Namespaced && isKubeflowKind(kind.GroupKind)
			if !listed && inside && d.unshared(o) && !d.owned(o) {
				out = append(out, o)
			}
		}
	}
	return out
}

// owned reports whether another object in the same namespace owns this one, so that listing the owner is enough.
func (d *planner) owned(o *unstructured.Unstructured) bool {
	for _, ref := range o.GetOwnerReferences() {
		if owner := d.snapshot.uids[ref.UID]; owner != nil && owner.GetNamespace() == o.GetNamespace() {
			return true
		}
	}
	return false
}

func (d *planner) unshared(o *unstructured.Unstructured) bool {
	_, shared := d.shared[cluster.RefOf(o).Identity()]
	return !shared
}

// isKubeflowKind reports whether a kind is Kubeflow's own, unlike those of Istio or cert-manager, which others use too.
func isKubeflowKind(kind schema.GroupKind) bool {
	return kind.Group == "kubeflow.org" || strings.HasSuffix(kind.Group, ".kubeflow.org") || kind.Group == "serving.kserve.io"
}

// measureData lists the users' data: without --delete-data what is kept, with it what is deleted.
func (d *planner) measureData() {
	data := &d.plan.Data
	spaces := maps.Clone(d.namespaces)
	for _, o := range d.profileNamespaces() {
		data.Namespaces = append(data.Namespaces, o.GetName())
		spaces[o.GetName()] = true
	}
	if d.ownKinds[kube.ProfileKind] {
		for _, o := range d.snapshot.objects[kube.ProfileKind] {
			data.Profiles = append(data.Profiles, o.GetName())
		}
	}
	for _, o := range d.snapshot.objects[kube.PersistentVolumeClaimKind] {
		if _, listed := d.entries[cluster.RefOf(o).Identity()]; (listed || spaces[o.GetNamespace()]) && d.unshared(o) {
			data.Volumes = append(data.Volumes, d.volume(o))
		}
	}
	counts := map[string]int{}
	for _, o := range d.userResources() {
		counts[o.GroupVersionKind().GroupKind().String()]++
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		data.Objects = append(data.Objects, Count{kind, counts[kind]})
	}
	slices.SortStableFunc(data.Objects, func(a, b Count) int { return cmp.Compare(b.Count, a.Count) })
}

func (d *planner) volume(claim *unstructured.Unstructured) Volume {
	v := Volume{Namespace: claim.GetNamespace(), Name: claim.GetName(), Size: kube.Text(claim.Object, "status", "capacity", "storage")}
	if v.Size == "" {
		v.Size = kube.Text(claim.Object, "spec", "resources", "requests", "storage")
	}
	bound := d.snapshot.find(cluster.Ref{APIVersion: "v1", Kind: kube.PersistentVolumeKind.Kind, Name: kube.Text(claim.Object, "spec", "volumeName")})
	if bound != nil && kube.Text(bound.Object, "spec", "persistentVolumeReclaimPolicy") == "Retain" {
		v.Retained = bound.GetName()
	}
	return v
}

// findLeftOvers finds webhooks that call deleted Services and that no inventory lists: Kubeflow's controllers created them at
// startup. One with failurePolicy Fail blocks other requests once its server is gone.
func (d *planner) findLeftOvers() {
	for _, kind := range []schema.GroupKind{kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind} {
		for _, o := range d.snapshot.objects[kind] {
			if d.willBeDeleted(o) || isKept(d.plan.Keep, o) {
				continue
			}
			for _, hook := range plan.Webhooks(o) {
				service := d.snapshot.find(hook.Gate.Service)
				if service != nil && d.willBeDeleted(service) {
					d.plan.LeftOvers = append(d.plan.LeftOvers, Kept{Ref: cluster.RefOf(o), Why: fmt.Sprintf("it calls %s, which is deleted", cluster.RefOf(service))})
					break
				}
			}
		}
	}
}

func isKept(keep []Kept, o *unstructured.Unstructured) bool {
	return slices.ContainsFunc(keep, func(k Kept) bool { return k.Ref.Identity() == cluster.RefOf(o).Identity() })
}
