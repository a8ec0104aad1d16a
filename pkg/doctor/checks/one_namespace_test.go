package checks

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/tools/txtar"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// A userView allows what a user of one namespace may do, and notes everything else that is asked.
type userView struct {
	cluster.View
	namespace string
	outside   *[]string
}

func (v userView) refuse(verb string, kind schema.GroupKind, in string) error {
	*v.outside = append(*v.outside, fmt.Sprintf("%s %s in %q", verb, kind, in))
	return apierrors.NewForbidden(schema.GroupResource{Group: kind.Group, Resource: pluralOf(kind)}, "", errors.New("no"))
}

func (v userView) Get(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	if ref.Namespace != v.namespace && !(ref.GroupKind() == kube.NamespaceKind && ref.Name == v.namespace) {
		return nil, v.refuse("get", ref.GroupKind(), ref.Namespace)
	}
	return v.View.Get(ctx, ref)
}

func (v userView) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	if in.Namespace != v.namespace || kube.ClusterScoped(kind) {
		return nil, v.refuse("list", kind, in.Namespace)
	}
	return v.View.List(ctx, kind, in)
}

// TestOneNamespaceNeedsNoOtherPermissions runs every check of doctor -n on the objects of all cases, as a user of one namespace: nothing else is
// asked for, no check is unknown because a permission is missing, and no finding has a fix.
func TestOneNamespaceNeedsNoOtherPermissions(t *testing.T) {
	const namespace = "jane"
	n := 0
	eachCase(t, func(t *testing.T, c *doctor.Check, path string, a *txtar.Archive) {
		view, s := read(t, a)
		if s.Install != nil {
			return
		}
		s.Namespace = namespace
		var outside []string
		r := doctor.Diagnose(t.Context(), userView{view, namespace, &outside}, withOne(c), doctor.Options{Settings: s})
		n += len(r.Checks)
		for _, request := range outside {
			t.Errorf("%s: a user of %s is asked to %s", path, namespace, request)
		}
		for _, c := range r.Blind() {
			t.Errorf("%s: %s could not run: %s", path, c.ID, c.Reason)
		}
		for _, p := range r.Problems() {
			if p.Finding.Fix != nil {
				t.Errorf("%s: %s has a fix", path, p.Check.ID)
			}
		}
	})
	t.Logf("%d runs", n)
}

// withOne returns a check that is part of the diagnosis of one namespace, or the one that always is.
func withOne(c *doctor.Check) []*doctor.Check {
	if c.In("jane") {
		return []*doctor.Check{c}
	}
	found, _ := Find("team/workloads")
	return found
}
