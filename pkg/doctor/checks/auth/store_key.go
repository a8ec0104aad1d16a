package auth

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/pipelines"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// artifactServer serves the artifacts of a Profile.
const artifactServer = "ml-pipeline-ui-artifact"

// secretKey is the key of the Secret whose value is rotated. The name of the store's user stays: SeaweedFS then replaces that user's
// secret, and would keep the default one beside a user with another name.
const secretKey = "secretkey"

var workflowKind = schema.GroupKind{Group: "argoproj.io", Kind: "Workflow"}

// storeKinds are what is read about the key of the object store.
var storeKinds = []schema.GroupKind{kube.NamespaceKind, kube.SecretKind, kube.DeploymentKind, kube.StatefulSetKind, kube.ConfigMapKind, workflowKind}

// storeWrites are what is written when it is rotated.
var storeWrites = []doctor.Write{
	{Kind: kube.SecretKind, In: []string{workloads.Namespace, doctor.Profiles}, Names: []string{pipelines.StoreKey}, Fields: []string{"/data/" + secretKey}},
	{Kind: kube.DeploymentKind, In: []string{workloads.Namespace}, Restart: true},
	{Kind: kube.StatefulSetKind, In: []string{workloads.Namespace}, Restart: true},
	{Kind: kube.DeploymentKind, In: []string{doctor.Profiles}, Names: []string{artifactServer}, Restart: true},
}

// AffectsAccess reports whether a finding about passwords and secrets is about who has access to the dashboard, and can be fixed. The key of
// the object store is not, because only pods reach the store.
func AffectsAccess(f doctor.Finding) bool { return f.Command != "" && f.About.Ref != storeKeyRef }

// storeKey reports the default key of the object store, and rotates it if the user named the check: programs that have copies of it, and
// pipelines that run, are affected.
func storeKey(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
	store, err := workloads.Find(ctx, e, storeKeyRef)
	if err != nil || store == nil || len(knownIn([]*unstructured.Unstructured{store})) == 0 {
		return nil, err
	}
	f := doctor.Finding{
		Severity:    doctor.Info,
		About:       doctor.Subject{Ref: storeKeyRef, Field: "data"},
		Message:     storeKeyMessage,
		Consequence: storeKeyImpact,
		Advice:      storeKeyAdvice,
		Command:     "kubectl kubeflow auth rotate-secrets",
	}
	if e.Named && e.NewSecret != nil && shippedSecrets[digest(secretValue(store, secretKey))] != "" {
		if f.Fix, err = rotateStore(ctx, e, store); err != nil {
			return nil, err
		}
		running, err := workloads.ListIfKnown(ctx, e, workflowKind, cluster.Scope{Labels: "workflows.argoproj.io/phase=Running", Metadata: true})
		if err != nil {
			return nil, err
		}
		if len(running) > 0 {
			f.Consequence += fmt.Sprintf(" %s %s now: steps that have the old key fail when they save artifacts.", text.Plural(len(running), "pipeline"), text.Verb(len(running), "runs", "run"))
		}
	}
	return []doctor.Finding{f}, nil
}

// rotateStore gives the store, its clients and the Profiles that have a copy of its key a new one: first the Secrets, then the store, then
// its clients.
func rotateStore(ctx context.Context, e doctor.Exam, store *unstructured.Unstructured) (*doctor.Fix, error) {
	fix := &doctor.Fix{Title: rotateStoreFix, Impact: doctor.RestartsPods}
	fresh := e.NewSecret()
	set := func(o *unstructured.Unstructured) { setSecretValue(o, secretKey, fresh) }
	fix.Changes = append(fix.Changes, cluster.Edit(store, set))
	copies, err := storeCopies(ctx, e, store)
	if err != nil {
		return nil, err
	}
	for _, c := range copies {
		fix.Changes = append(fix.Changes, cluster.Edit(c, set))
	}
	clients, err := storeClients(ctx, e, copies)
	if err != nil {
		return nil, err
	}
	for _, w := range clients {
		fix.Changes = append(fix.Changes, doctor.RestartOf(w))
	}
	return fix, nil
}

// storeCopies returns the Secrets of Profiles with the store's key. A Profile with a store of its own is left out.
func storeCopies(ctx context.Context, e doctor.Exam, store *unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	profiles, err := workloads.ProfileNamespaces(ctx, e)
	if err != nil || len(profiles) == 0 {
		return nil, err
	}
	secrets, err := e.List(ctx, kube.SecretKind, cluster.Scope{Fields: "metadata.name=" + pipelines.StoreKey})
	if err != nil {
		return nil, err
	}
	own, err := pipelines.WithOwnStore(ctx, e)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(secrets), func(s *unstructured.Unstructured) bool {
		return profiles[s.GetNamespace()] == nil || own[s.GetNamespace()] || secretValue(s, secretKey) != secretValue(store, secretKey) || secretValue(s, "accesskey") != secretValue(store, "accesskey")
	}), nil
}

// storeClients returns the workloads whose pods read the key when they start, the store first.
func storeClients(ctx context.Context, e doctor.Exam, copies []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var clients []*unstructured.Unstructured
	for _, kind := range []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind} {
		all, err := e.List(ctx, kind, cluster.Scope{Namespace: workloads.Namespace})
		if err != nil {
			return nil, err
		}
		for _, w := range all {
			if readsSecret(w, pipelines.StoreKey) {
				clients = append(clients, w)
			}
		}
	}
	slices.SortStableFunc(clients, func(a, b *unstructured.Unstructured) int { return storeOrder(a) - storeOrder(b) })
	if len(copies) == 0 {
		return clients, nil
	}
	servers, err := e.List(ctx, kube.DeploymentKind, cluster.Scope{Fields: "metadata.name=" + artifactServer})
	if err != nil {
		return nil, err
	}
	for _, s := range servers {
		if slices.ContainsFunc(copies, func(c *unstructured.Unstructured) bool { return c.GetNamespace() == s.GetNamespace() }) {
			clients = append(clients, s)
		}
	}
	return clients, nil
}

func storeOrder(workload *unstructured.Unstructured) int {
	if slices.Contains([]string{"minio", "seaweedfs"}, workload.GetName()) {
		return 0
	}
	return 1
}

// readsSecret reports whether the pods of a workload get values of a Secret.
func readsSecret(workload *unstructured.Unstructured, name string) bool {
	spec := kube.Map(workload.Object, "spec", "template", "spec")
	for _, c := range slices.Concat(kube.Items(spec, "initContainers"), kube.Items(spec, "containers")) {
		from := func(v map[string]any) bool { return kube.Text(v, "secretRef", "name") == name }
		key := func(v map[string]any) bool { return kube.Text(v, "valueFrom", "secretKeyRef", "name") == name }
		if slices.ContainsFunc(kube.Items(c, "envFrom"), from) || slices.ContainsFunc(kube.Items(c, "env"), key) {
			return true
		}
	}
	return slices.ContainsFunc(kube.Items(spec, "volumes"), func(v map[string]any) bool { return kube.Text(v, "secret", "secretName") == name })
}
