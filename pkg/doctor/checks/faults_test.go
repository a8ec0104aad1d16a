package checks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/tools/txtar"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// eachCase calls a function with every case of every check.
func eachCase(t *testing.T, do func(t *testing.T, c *doctor.Check, path string, a *txtar.Archive)) {
	t.Helper()
	for _, c := range Every() {
		paths, err := filepath.Glob(casesOf(c))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			do(t, c, path, a)
		}
	}
}

func runCheck(view cluster.View, c *doctor.Check, s doctor.Settings) doctor.CheckReport {
	return doctor.Diagnose(context.Background(), view, []*doctor.Check{c}, doctor.Options{Settings: s}).Checks[0]
}

// changesOf returns what the findings would change, a line for each change.
func changesOf(c doctor.CheckReport) []string {
	var list []string
	for _, f := range c.Findings {
		if f.Fix != nil {
			for _, change := range f.Fix.Changes {
				list = append(list, string(change.Verb)+" "+change.Ref().String()+" "+cluster.Diff(change.Before, change.After))
			}
		}
	}
	return list
}

// failingView is a View that returns an error for one kind.
type failingView struct {
	cluster.View
	kind      schema.GroupKind
	err       error
	requested *atomic.Bool // set concurrently
}

func (v failingView) Get(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	if ref.GroupKind() == v.kind {
		v.requested.Store(true)
		return nil, v.err
	}
	return v.View.Get(ctx, ref)
}

func (v failingView) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	if kind == v.kind {
		v.requested.Store(true)
		return nil, v.err
	}
	return v.View.List(ctx, kind, in)
}

func TestForbiddenKindIsReportedAndChangesNoFix(t *testing.T) {
	n := 0
	eachCase(t, func(t *testing.T, c *doctor.Check, path string, a *txtar.Archive) {
		view, s := read(t, a)
		whole := runCheck(view, c, s)
		for _, kind := range c.Reads {
			var requested atomic.Bool
			forbidden := apierrors.NewForbidden(schema.GroupResource{Group: kind.Group, Resource: strings.ToLower(kind.Kind) + "s"}, "", errors.New("no"))
			got := runCheck(failingView{view, kind, forbidden, &requested}, c, s)
			n++
			switch {
			case strings.Contains(got.Reason, "broke"):
				t.Errorf("%s, no %s: %s", path, kind, got.Reason)
			case requested.Load() && got.Status != doctor.Unknown && !slices.Equal(changesOf(got), changesOf(whole)):
				t.Errorf("%s, no %s: the changes are now %v", path, kind, changesOf(got))
			case got.Status == doctor.Unknown && !strings.HasPrefix(got.Reason, "needs ") && whole.Status != doctor.Unknown:
				t.Errorf("%s, no %s: the reason is %q", path, kind, got.Reason)
			}
		}
	})
	t.Logf("%d runs with a forbidden kind", n)
}

func TestMissingKindBreaksNoCheck(t *testing.T) {
	eachCase(t, func(t *testing.T, c *doctor.Check, path string, a *txtar.Archive) {
		view, s := read(t, a)
		for _, kind := range c.Reads {
			if !strings.Contains(kind.Group, ".") || strings.HasSuffix(kind.Group, ".k8s.io") {
				continue // every server has these
			}
			var requested atomic.Bool
			got := runCheck(failingView{view, kind, &meta.NoKindMatchError{GroupKind: kind}, &requested}, c, s)
			if got.Status == doctor.Unknown && !strings.Contains(got.Reason, "cannot be known") {
				t.Errorf("%s, no %s: %s", path, kind, got.Reason)
			}
		}
	})
}

// TestMalformedFieldsBreakNoCheck removes every field of every object of the cases, and sets it to values of other types.
func TestMalformedFieldsBreakNoCheck(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	n := 0
	eachCase(t, func(t *testing.T, c *doctor.Check, path string, a *txtar.Archive) {
		view, s := read(t, a)
		for i, parsed := range objects(t, file(a, "cluster.yaml")) {
			o, err := view.Get(context.Background(), cluster.RefOf(parsed)) // the View's own copy
			if err != nil || s.Install != nil {
				continue // the overlay holds copies
			}
			whole := o.DeepCopy()
			for _, field := range fieldsWithin(whole.Object, nil) {
				for _, value := range []any{nil, malformedValues[random.IntN(len(malformedValues))]} {
					n++
					set(o.Object, field, value)
					got := runCheck(view, c, s)
					where := fmt.Sprintf("%s: object %d, %v = %v", path, i, field, value)
					if strings.Contains(got.Reason, "the check itself broke") {
						t.Errorf("%s: %s", where, got.Reason)
					}
					for _, f := range got.Findings {
						checkFix(t, view, where, f)
					}
					o.Object = whole.DeepCopy().Object
				}
			}
		}
	})
	t.Logf("%d objects with a malformed field", n)
}

// checkFix fails if a fix changes an object that does not exist, or that differs from the live one.
func checkFix(t *testing.T, view cluster.View, where string, f doctor.Finding) {
	t.Helper()
	if f.Fix == nil {
		return
	}
	for _, change := range f.Fix.Changes {
		if change.Before == nil {
			continue
		}
		now, err := view.Get(context.Background(), cluster.RefOf(change.Before))
		if err != nil || cluster.Diff(now, change.Before) != "" {
			t.Errorf("%s: a fix changes %s, which differs from the live object (%v)", where, change.Ref(), err)
		}
		if change.Verb == cluster.Patch {
			if _, err := change.Inverse(); err != nil {
				t.Errorf("%s: a fix of %s could not be undone: %v", where, change.Ref(), err)
			}
		}
	}
}

var malformedValues = []any{"", "strange", int64(-1), int64(1) << 40, true, 1.5, []any{}, []any{"a", int64(1), nil}, map[string]any{}, map[string]any{"a": []any{map[string]any{}}}, []any{map[string]any{"name": int64(3)}}}

// fieldsWithin returns the paths of all fields and items below a value. The fields that identify an object are left out.
func fieldsWithin(value any, path []any) [][]any {
	var all [][]any
	below := func(key, v any) {
		here := append(slices.Clone(path), key)
		if len(here) == 1 && (key == "kind" || key == "apiVersion") || len(here) == 2 && path[0] == "metadata" && (key == "name" || key == "namespace") {
			return
		}
		if !(len(here) == 1 && key == "metadata") {
			all = append(all, here)
		}
		all = append(all, fieldsWithin(v, here)...)
	}
	switch v := value.(type) {
	case map[string]any:
		var keys []string
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			below(key, v[key])
		}
	case []any:
		for i := range v {
			below(i, v[i])
		}
	}
	return all
}

func set(in any, path []any, value any) {
	switch key := path[0].(type) {
	case string:
		m, ok := in.(map[string]any)
		switch {
		case !ok:
		case len(path) > 1:
			set(m[key], path[1:], value)
		case value == nil:
			delete(m, key)
		default:
			m[key] = value
		}
	case int:
		list, ok := in.([]any)
		switch {
		case !ok || key >= len(list):
		case len(path) > 1:
			set(list[key], path[1:], value)
		default:
			list[key] = value
		}
	}
}
