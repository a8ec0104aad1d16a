package pipelines

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// StoreKey is the name of the Secret with the object store's key, in namespace kubeflow and in profile namespaces.
const StoreKey = "mlpipeline-minio-artifact"

var (
	storeKeyRef          = cluster.Ref{APIVersion: "v1", Kind: "Secret", Namespace: workloads.Namespace, Name: StoreKey}
	profileControllerRef = cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: workloads.Namespace, Name: "kubeflow-pipelines-profile-controller"}
	storeVolumeRef       = cluster.Ref{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: workloads.Namespace, Name: "seaweedfs-pvc"}
)

var ProfileKeys = &doctor.Check{
	ID:    "pipelines/profile-keys",
	Title: "Profiles have a key of the object store",
	Why: "Pipeline steps and the artifact server of a Profile read the store's key from Secret " + StoreKey + " in its namespace. The Pipelines profile controller " +
		"creates that Secret once and never updates it: after the store got another key, or was installed again with an empty volume, the Profile has a key that the store does not know.",
	FixNote: "Up to Kubeflow 1.10 all Profiles have the key of the store: --fix copies it into the Secrets of profile " +
		"namespaces that cannot work, and into those with the key of another user only if the check is named: doctor pipelines/profile-keys --fix. From SeaweedFS on each Profile has a key " +
		"of its own, which only the controller can create: no automatic fix, the finding has the command that makes it create a new one. Keys are compared and never shown.",
	Sources: []string{"kubeflow/community-distribution#3051"},
	Reads:   []schema.GroupKind{kube.NamespaceKind, kube.SecretKind, kube.DeploymentKind, kube.PersistentVolumeClaimKind, kube.ConfigMapKind},
	Writes:  []doctor.Write{{Kind: kube.SecretKind, In: []string{doctor.Profiles}, Names: []string{StoreKey}, Fields: []string{"/data/accesskey", "/data/secretkey"}}},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		store, err := workloads.Find(ctx, e, storeKeyRef)
		if err != nil {
			return nil, err
		}
		profiles, err := workloads.ProfileNamespaces(ctx, e)
		if err != nil {
			return nil, err
		}
		if store == nil || !complete(store) || len(profiles) == 0 {
			return nil, doctor.Skip("there are no profile namespaces with a key of Kubeflow's object store")
		}
		secrets, err := e.List(ctx, kube.SecretKind, cluster.Scope{Fields: "metadata.name=" + StoreKey})
		if err != nil {
			return nil, err
		}
		secrets = slices.DeleteFunc(slices.Clone(secrets), func(s *unstructured.Unstructured) bool {
			return profiles[s.GetNamespace()] == nil || sameKey(s, store)
		})
		if len(secrets) == 0 {
			return nil, nil
		}
		controller, err := workloads.Find(ctx, e, profileControllerRef)
		if err != nil {
			return nil, err
		}
		if issuesKeys(controller) {
			return ownKeys(ctx, e, store, secrets)
		}
		return copiedKeys(ctx, e, store, secrets)
	},
}

func keyOf(secret *unstructured.Unstructured) [2]string {
	return [2]string{kube.Text(secret.Object, "data", "accesskey"), kube.Text(secret.Object, "data", "secretkey")}
}

func sameKey(a, b *unstructured.Unstructured) bool { return keyOf(a) == keyOf(b) }

func complete(secret *unstructured.Unstructured) bool {
	key := keyOf(secret)
	return key[0] != "" && key[1] != ""
}

// issuesKeys reports whether the profile controller asks the store for a key per Profile. If not, it copies the store's own.
func issuesKeys(controller *unstructured.Unstructured) bool {
	if controller == nil {
		return false
	}
	for _, c := range kube.Items(controller.Object, "spec", "template", "spec", "containers") {
		if slices.ContainsFunc(kube.Items(c, "env"), func(v map[string]any) bool { return strings.HasPrefix(kube.Text(v, "name"), "AWS_") }) {
			return true
		}
	}
	return false
}

// copiedKeys reports Secrets that should be copies of the store's. A Profile with a store of its own is left out.
func copiedKeys(ctx context.Context, e doctor.Exam, store *unstructured.Unstructured, secrets []*unstructured.Unstructured) ([]doctor.Finding, error) {
	own, err := WithOwnStore(ctx, e)
	if err != nil {
		return nil, err
	}
	secrets = slices.DeleteFunc(secrets, func(s *unstructured.Unstructured) bool { return own[s.GetNamespace()] })
	var findings []doctor.Finding
	for _, impossible := range []bool{true, false} {
		those := slices.DeleteFunc(slices.Clone(secrets), func(s *unstructured.Unstructured) bool { return cannotWork(s, store) != impossible })
		if len(those) == 0 {
			continue
		}
		f := keyFinding(doctor.Warning, those, "has another key than the object store")
		f.Cause = "The store may have another user with this key. If not, the store got a new key after the Secret was created."
		if impossible {
			f.Severity, f.Cause = doctor.Error, "The store's key was changed after the Secret was created, and the profile controller does not update it."
		}
		f.Advice = "Copy the key of the store into the Secret, and restart what uses it."
		if !impossible && !e.Named {
			f.Command = "kubectl kubeflow doctor pipelines/profile-keys --fix"
			findings = append(findings, f)
			continue
		}
		f.Fix = &doctor.Fix{Title: fmt.Sprintf("Copy the key of the object store to %s", text.Plural(len(those), "profile namespace")), Impact: doctor.Safe}
		for _, s := range those {
			f.Fix.Changes = append(f.Fix.Changes, cluster.Edit(s, func(o *unstructured.Unstructured) {
				key := keyOf(store)
				_ = unstructured.SetNestedField(o.Object, key[0], "data", "accesskey")
				_ = unstructured.SetNestedField(o.Object, key[1], "data", "secretkey")
			}))
		}
		findings = append(findings, f)
	}
	return findings, nil
}

// cannotWork reports whether no store could accept both keys: one is incomplete, or they name the same user with different secrets.
func cannotWork(secret, store *unstructured.Unstructured) bool {
	return !complete(secret) || keyOf(secret)[0] == keyOf(store)[0]
}

// WithOwnStore returns the namespaces that configure an object store of their own.
func WithOwnStore(ctx context.Context, e doctor.Exam) (map[string]bool, error) {
	own := map[string]bool{}
	launchers, err := e.List(ctx, kube.ConfigMapKind, cluster.Scope{Fields: "metadata.name=kfp-launcher"})
	if err != nil {
		return nil, err
	}
	for _, c := range launchers {
		own[c.GetNamespace()] = kube.Text(c.Object, "data", "providers") != ""
	}
	repositories, err := e.List(ctx, kube.ConfigMapKind, cluster.Scope{Fields: "metadata.name=artifact-repositories"})
	if err != nil {
		return nil, err
	}
	for _, c := range repositories {
		own[c.GetNamespace()] = own[c.GetNamespace()] || !strings.Contains(fmt.Sprint(c.Object["data"]), ".kubeflow:")
	}
	return own, nil
}

// ownKeys reports Secrets that a store with a key for each Profile cannot know: they are older than its volume, or name its own
// user with another secret.
func ownKeys(ctx context.Context, e doctor.Exam, store *unstructured.Unstructured, secrets []*unstructured.Unstructured) ([]doctor.Finding, error) {
	volume, err := workloads.Find(ctx, e, storeVolumeRef)
	if err != nil {
		return nil, err
	}
	var since metav1.Time
	if volume != nil {
		since = volume.GetCreationTimestamp()
	}
	secrets = slices.DeleteFunc(secrets, func(s *unstructured.Unstructured) bool {
		created := s.GetCreationTimestamp()
		older := !since.IsZero() && !created.IsZero() && created.Add(time.Minute).Before(since.Time)
		return !older && !cannotWork(s, store)
	})
	if len(secrets) == 0 {
		return nil, nil
	}
	f := keyFinding(doctor.Error, secrets, "has a key that the object store does not know")
	f.Cause = "The Secret is from before the store was installed again, or of another store. The profile controller keeps a Secret that exists."
	f.Advice = "Delete the Secret: the profile controller creates one with a new key, which reads only this Profile's artifacts. Then restart ml-pipeline-ui-artifact there."
	f.Command = fmt.Sprintf("kubectl delete secret -n %[1]s %[2]s\nkubectl rollout restart deployment -n %[1]s ml-pipeline-ui-artifact", escape.Word(secrets[0].GetNamespace()), StoreKey)
	return []doctor.Finding{f}, nil
}

func keyFinding(severity doctor.Severity, secrets []*unstructured.Unstructured, what string) doctor.Finding {
	names := text.Names(secrets, text.Most, (*unstructured.Unstructured).GetNamespace)
	return doctor.Finding{
		Severity:    severity,
		About:       doctor.Subject{Ref: cluster.RefOf(secrets[0]), Field: "data"},
		Message:     fmt.Sprintf("Secret %s %s in %s: %s", StoreKey, what, text.Plural(len(secrets), "profile namespace"), names),
		Consequence: "Pipeline steps there fail when they load or save artifacts: \"The Access Key Id you provided does not exist in our records\".",
		Command:     fmt.Sprintf("kubectl get secret -n %s %s -o yaml", escape.Word(secrets[0].GetNamespace()), StoreKey),
	}
}
