package profiles

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/program"
)

const finalizer = "profile-finalizer"

type controller struct {
	client  dynamic.Interface
	program program.Program
}

// Loop creates the loop that reconciles Profiles.
func Loop(client dynamic.Interface, factory informers.SharedInformerFactory) *control.Poll {
	c := controller{client: client, program: program.New(factory, "kubeflow", "profiles-deployment")}
	return &control.Poll{
		Name: "profile controller", Client: client, Ready: c.program.Ready, Reconcile: c.reconcile,
		Kinds: []schema.GroupVersionResource{
			{Group: "kubeflow.org", Version: "v1", Resource: "profiles"},
			{Group: "kubeflow.org", Version: "v1beta1", Resource: "profiles"},
		},
	}
}

func (c controller) reconcile(ctx context.Context, kind schema.GroupVersionResource, profile *unstructured.Unstructured) (bool, error) {
	if profile.GetDeletionTimestamp() != nil {
		return true, c.release(ctx, kind, profile)
	}
	refused, err := c.namespace(ctx, profile)
	if err != nil {
		return false, err
	}
	if refused != "" {
		return true, c.fail(ctx, kind, profile, refused)
	}
	if err := c.contents(ctx, profile); err != nil {
		return false, err
	}
	if slices.Contains(profile.GetFinalizers(), finalizer) {
		return true, nil
	}
	profile.SetFinalizers(append(profile.GetFinalizers(), finalizer))
	return false, c.update(ctx, kind, profile)
}

// release removes the finalizer; garbage collection deletes the namespace.
func (c controller) release(ctx context.Context, kind schema.GroupVersionResource, profile *unstructured.Unstructured) error {
	rest := slices.DeleteFunc(profile.GetFinalizers(), func(f string) bool { return f == finalizer })
	if len(rest) == len(profile.GetFinalizers()) {
		return nil
	}
	profile.SetFinalizers(rest)
	return c.update(ctx, kind, profile)
}

// fail records once why a Profile was rejected.
func (c controller) fail(ctx context.Context, kind schema.GroupVersionResource, profile *unstructured.Unstructured, why string) error {
	conditions, _, _ := unstructured.NestedSlice(profile.Object, "status", "conditions")
	condition := map[string]any{"type": "Failed", "message": why}
	for _, item := range conditions {
		if have, ok := item.(map[string]any); ok && have["message"] == why {
			return nil
		}
	}
	if err := unstructured.SetNestedSlice(profile.Object, append(conditions, condition), "status", "conditions"); err != nil {
		return err
	}
	_, err := c.client.Resource(kind).UpdateStatus(ctx, profile, metav1.UpdateOptions{FieldManager: control.Manager})
	return err
}

func (c controller) update(ctx context.Context, kind schema.GroupVersionResource, profile *unstructured.Unstructured) error {
	_, err := c.client.Resource(kind).Update(ctx, profile, metav1.UpdateOptions{FieldManager: control.Manager})
	return err
}

// owner returns the name of a Profile's owner, and the owner as a subject of RBAC.
func owner(profile *unstructured.Unstructured) (name string, subject map[string]any) {
	subject, _, _ = unstructured.NestedMap(profile.Object, "spec", "owner")
	name, _ = subject["name"].(string)
	if subject["kind"] == "User" && subject["apiGroup"] == nil {
		subject["apiGroup"] = "rbac.authorization.k8s.io"
	}
	return name, subject
}
