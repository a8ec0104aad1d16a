package signin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// A Record is what was changed so that users sign in with an identity. It is a Secret in the namespace of this program's records, because it
// has the client secret, and Secrets as they were before.
type Record struct {
	Identity Identity       `json:"identity"`
	Edits    []RecordedEdit `json:"edits"`
	Earlier  *Record        `json:"earlier,omitempty"` // that this one takes the place of, while it is not yet in place
}

// A RecordedEdit is an object before and after the change.
type RecordedEdit struct {
	Before *unstructured.Unstructured `json:"before"`
	After  *unstructured.Unstructured `json:"after"`
}

const recordKey = "record"

// RecordRef names the Secret.
var RecordRef = cluster.Ref{APIVersion: "v1", Kind: kube.SecretKind.Kind, Namespace: state.Namespace, Name: "kubectl-kubeflow-sign-in"}

// ReadRecord reads the record, and the Secret that holds it; nil if there is none. The errors are those of [state.Check], and a
// *problem.Error for a record that cannot be used.
func ReadRecord(ctx context.Context, view cluster.View) (*Record, *unstructured.Unstructured, error) {
	content, o, err := readSecret(ctx, view, RecordRef, recordKey)
	if err != nil || o == nil {
		return nil, nil, err
	}
	r := &Record{}
	if json.Unmarshal(content, r) != nil || !r.valid(mostEarlier) {
		return nil, o, &problem.Error{What: fmt.Sprintf("%s is not a record of this program", RecordRef), Next: "Delete it, and configure how users sign in by hand"}
	}
	return r, o, nil
}

// mostEarlier is how many interrupted runs a record tells of.
const mostEarlier = 8

// valid reports whether a record names what this program edits: nothing else is restored by it.
func (r *Record) valid(most int) bool {
	for _, e := range r.Edits {
		if e.Before == nil || e.After == nil || cluster.RefOf(e.Before) != cluster.RefOf(e.After) || !editable(cluster.RefOf(e.After)) {
			return false
		}
	}
	return r.Identity.Check() == nil && (r.Earlier == nil || most > 0 && r.Earlier.valid(most-1))
}

// After returns the record to write before its changes are made, which also tells what an earlier one says: some of its edits may be there.
func (r *Record) After(prior *Record) (*Record, error) {
	with := *r
	if with.Earlier = prior; prior != nil && prior.Identity.Same(r.Identity) {
		with.Earlier = prior.Earlier
	}
	if !with.valid(mostEarlier) {
		return nil, &problem.Error{What: "several runs of this command were interrupted", Next: "Undo them first: run it with --remove"}
	}
	return &with, nil
}

// editable reports whether an object is of a kind and a namespace in which an identity changes something.
func editable(ref cluster.Ref) bool {
	switch ref.Kind {
	case kube.ConfigMapKind.Kind, kube.SecretKind.Kind, kube.ServiceAccountKind.Kind, kube.DeploymentKind.Kind, kube.StatefulSetKind.Kind:
		return ref.Namespace == "auth" || ref.Namespace == "oauth2-proxy" || ref.Namespace == "istio-system" || ref.Namespace == "kubeflow" && ref.Kind == kube.DeploymentKind.Kind
	case "RequestAuthentication":
		return strings.HasPrefix(ref.APIVersion, "security.istio.io/")
	}
	return false
}

// Object returns the Secret that holds the record.
func (r *Record) Object() (*unstructured.Unstructured, error) {
	content, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding the record: %w", err)
	}
	return recordSecret(RecordRef, recordKey, content), nil
}

// recordSecret is a Secret in the namespace of the records.
func recordSecret(ref cluster.Ref, key string, content []byte) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": kube.SecretKind.Kind,
		"metadata": map[string]any{"name": ref.Name, "namespace": ref.Namespace, "labels": map[string]any{state.ManagedByLabel: state.Manager}},
		"data":     map[string]any{key: base64.StdEncoding.EncodeToString(content)},
	}}
}

// readSecret returns what such a Secret holds, nil where that is not base64, and the Secret; nil if there is none. The errors are those of
// [state.Check].
func readSecret(ctx context.Context, view cluster.View, ref cluster.Ref, key string) ([]byte, *unstructured.Unstructured, error) {
	exists, err := state.Check(ctx, view)
	if err != nil || !exists {
		return nil, nil, err
	}
	o, err := cluster.IgnoreNotFound(view.Get(ctx, ref))
	if err != nil || o == nil {
		return nil, nil, err
	}
	content, err := base64.StdEncoding.DecodeString(kube.Text(o.Object, "data", key))
	if err != nil {
		content = nil
	}
	return content, o, nil
}

// Manager is the field manager of what is written for an identity.
const Manager = "kubectl-kubeflow-auth"

// Store writes a record in the place of the Secret that was read, nil if there was none, and returns the Secret. Without a record (nil) it
// deletes the Secret.
func (r *Record) Store(ctx context.Context, client *cluster.Client, secret *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if r == nil {
		return nil, deleteSecret(ctx, client, secret)
	}
	o, err := r.Object()
	if err != nil {
		return secret, err
	}
	return storeSecret(ctx, client, secret, o)
}

func deleteSecret(ctx context.Context, client *cluster.Client, secret *unstructured.Unstructured) error {
	if secret == nil {
		return nil
	}
	_, err := client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: secret}, cluster.Options{Manager: Manager})
	_, err = cluster.IgnoreNotFound(nil, err)
	return err
}

func storeSecret(ctx context.Context, client *cluster.Client, secret, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	change := cluster.Change{Verb: cluster.Create, After: o}
	if secret != nil {
		change = cluster.Edit(secret, func(live *unstructured.Unstructured) { live.Object["data"] = o.Object["data"] })
	}
	written, err := client.Do(ctx, change, cluster.Options{Manager: Manager})
	if err != nil {
		return secret, err
	}
	return written, nil
}

// recorded returns an object without what the server keeps for itself.
func recorded(o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	delete(o.Object, "status")
	o.SetManagedFields(nil)
	return o
}
