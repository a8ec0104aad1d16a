// Package backup saves what users own before an upgrade.
package backup

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// A Backup is what users own on a cluster, as YAML that kubectl apply takes.
type Backup struct {
	Content []byte
	Objects int
	Secrets []string // namespace/name of the Secrets in profile namespaces: their values are not in the backup
	Missing []string // kinds that this user may not read
}

// profileLabel marks the namespaces of Profiles.
const profileLabel = "app.kubernetes.io/part-of=kubeflow-profile"

// inProfiles are the built-in kinds that users or Kubeflow's controllers create in profile namespaces. The claims' data is on their volumes.
var inProfiles = []schema.GroupKind{kube.PersistentVolumeClaimKind, {Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}, {Kind: "ResourceQuota"}, {Group: "security.istio.io", Kind: "AuthorizationPolicy"}}

// Read reads the Profiles, what is in their namespaces, and every custom resource of Kubeflow's kinds that the installation did not
// create. It writes nothing.
func Read(ctx context.Context, view cluster.View, installed *inventory.Inventory, target string) (*Backup, error) {
	b := &reader{view: view, skip: map[cluster.Ref]bool{}}
	for _, entry := range installed.Objects {
		b.skip[entry.Ref.Identity()] = true
	}
	namespaces, err := view.List(ctx, kube.NamespaceKind, cluster.Scope{Labels: profileLabel, Metadata: true})
	if err != nil {
		return nil, fmt.Errorf("reading the namespaces of Profiles: %w", err)
	}
	b.profiles = map[string]bool{}
	for _, namespace := range namespaces {
		b.profiles[namespace.GetName()] = true
	}
	kinds, err := kubeflowKinds(ctx, view)
	if err != nil {
		return nil, err
	}
	for _, kind := range kinds {
		if err := b.add(ctx, kind, false); err != nil {
			return nil, err
		}
	}
	for _, kind := range inProfiles {
		if err := b.add(ctx, kind, true); err != nil {
			return nil, err
		}
	}
	if err := b.secrets(ctx); err != nil {
		return nil, err
	}
	return b.done(installed, target)
}

// kubeflowKinds returns the custom kinds of Kubeflow on the cluster, Profiles first.
func kubeflowKinds(ctx context.Context, view cluster.View) ([]schema.GroupKind, error) {
	crds, err := view.List(ctx, kube.CustomResourceDefinitionKind, cluster.Scope{})
	if err != nil {
		return nil, fmt.Errorf("reading the CRDs: %w", err)
	}
	var kinds []schema.GroupKind
	for _, crd := range crds {
		kind := kube.DefinedKind(crd)
		if kind.Group == "kubeflow.org" || strings.HasSuffix(kind.Group, ".kubeflow.org") || strings.HasSuffix(kind.Group, "kserve.io") {
			kinds = append(kinds, kind)
		}
	}
	slices.SortStableFunc(kinds, func(a, b schema.GroupKind) int {
		switch {
		case a.Kind == b.Kind:
			return strings.Compare(a.Group, b.Group)
		case a.Kind == "Profile":
			return -1
		case b.Kind == "Profile":
			return 1
		}
		return strings.Compare(a.Kind, b.Kind)
	})
	return kinds, nil
}

// A reader collects one backup.
type reader struct {
	Backup
	view     cluster.View
	skip     map[cluster.Ref]bool // the installation's own objects
	profiles map[string]bool
	out      bytes.Buffer
}

// add writes the objects of a kind. profilesOnly leaves out those outside of profile namespaces.
func (b *reader) add(ctx context.Context, kind schema.GroupKind, profilesOnly bool) error {
	list, err := b.view.List(ctx, kind, cluster.Scope{})
	switch {
	case meta.IsNoMatchError(err) || apierrors.IsNotFound(err):
		return nil
	case apierrors.IsForbidden(err):
		b.Missing = append(b.Missing, kind.String())
		return nil
	case err != nil:
		return fmt.Errorf("reading %s: %w", kind, err)
	}
	for _, o := range list {
		if b.skip[cluster.RefOf(o).Identity()] || profilesOnly && !b.profiles[o.GetNamespace()] {
			continue
		}
		content, err := yaml.Marshal(asWritten(o).Object)
		if err != nil {
			return fmt.Errorf("writing %s: %w", cluster.RefOf(o), err)
		}
		b.Objects++
		b.out.WriteString("---\n")
		b.out.Write(content)
	}
	return nil
}

// asWritten returns an object without what the server adds.
func asWritten(o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	for _, field := range []string{"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink", "ownerReferences"} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
	}
	unstructured.RemoveNestedField(o.Object, "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
	unstructured.RemoveNestedField(o.Object, "status")
	return o
}

func (b *reader) secrets(ctx context.Context) error {
	list, err := b.view.List(ctx, schema.GroupKind{Kind: "Secret"}, cluster.Scope{Metadata: true})
	if apierrors.IsForbidden(err) {
		b.Missing = append(b.Missing, "Secret")
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the names of Secrets: %w", err)
	}
	for _, o := range list {
		if b.profiles[o.GetNamespace()] {
			b.Secrets = append(b.Secrets, o.GetNamespace()+"/"+o.GetName())
		}
	}
	slices.Sort(b.Secrets)
	return nil
}

func (b *reader) done(installed *inventory.Inventory, target string) (*Backup, error) {
	record, err := installed.Encode()
	if err != nil {
		return nil, fmt.Errorf("writing the record of the installation: %w", err)
	}
	content, err := yaml.Marshal(record.Object)
	if err != nil {
		return nil, err
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "# What users own in Kubeflow %s, read before the upgrade to %s. It restores objects, not the data on volumes:\n", installed.Release, target)
	head.WriteString("# kubectl apply -f FILE\n")
	if len(b.Secrets) > 0 {
		head.WriteString("# Secrets of these namespaces, which are not in this file:\n")
	}
	for _, name := range b.Secrets {
		head.WriteString("#   " + name + "\n")
	}
	for _, kind := range b.Missing {
		head.WriteString("# Not readable by this user, and not in this file: " + kind + "\n")
	}
	head.Write(b.out.Bytes())
	head.WriteString("# The record of the installation, which is no part of what to apply:\n")
	for line := range strings.Lines(string(content)) {
		head.WriteString("# " + line)
	}
	b.Content = head.Bytes()
	return &b.Backup, nil
}
