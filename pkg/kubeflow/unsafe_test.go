package kubeflow_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// viewOf is an offline view of the objects in files; a later object replaces an earlier one.
func viewOf(t *testing.T, files ...string) cluster.View {
	t.Helper()
	objects := map[cluster.Ref]*unstructured.Unstructured{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(text).Files {
			if f.Name == "cluster" || f.Name == "cluster.yaml" {
				text = f.Data
			}
		}
		for document := range strings.SplitSeq("\n"+string(text), "\n---") {
			body, err := yaml.YAMLToJSON([]byte(document))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if o := (&unstructured.Unstructured{}); string(body) != "null" && o.UnmarshalJSON(body) == nil && o.Object["deleted"] == nil {
				objects[cluster.RefOf(o).Identity()] = o
			}
		}
	}
	var all []*unstructured.Unstructured
	for _, o := range objects {
		all = append(all, o)
	}
	return cluster.Objects("test objects", nil, all...)
}

func TestAnUnsafePublicAddressIsRefused(t *testing.T) {
	const shapes = "../expose/testdata/shapes/"
	open := viewOf(t, shapes+"1.2.yaml")
	already := viewOf(t, shapes+"1.2.yaml", "../expose/testdata/plan/adopt-nothing.txtar")
	known := viewOf(t, shapes+"26.03.yaml", "../doctor/checks/auth/testdata/password/of-26.03.txtar")
	for _, test := range []struct {
		name            string
		view            cluster.View
		options         kubeflow.ExposeOptions
		refused         string // a part of the message; "" when it is allowed
		unauthenticated bool
	}{
		{"without authentication", open, kubeflow.ExposeOptions{}, "not made public: any client on the internet", true},
		{"without authentication, with --allow-unauthenticated", open, kubeflow.ExposeOptions{AllowUnauthenticated: true}, "", false},
		{"without authentication, with source ranges", open, kubeflow.ExposeOptions{Options: expose.Options{SourceRanges: &[]string{"203.0.113.7/32"}}}, "", false},
		{"without authentication, inside the network", open, kubeflow.ExposeOptions{Options: expose.Options{Internal: new(true)}}, "", false},
		{"without authentication, in a dry run", open, kubeflow.ExposeOptions{DryRun: kubeflow.DryRunClient}, "", false},
		{"without authentication, on an address that is public already", already, kubeflow.ExposeOptions{}, "is public already: any client on the internet", true},
		{"without authentication, with ranges that are most of the internet", open, kubeflow.ExposeOptions{Options: expose.Options{SourceRanges: &[]string{"0.0.0.0/1", "128.0.0.0/1"}}}, "admit too much of the internet", true},
		{"with the default password", known, kubeflow.ExposeOptions{}, "not made public: ", false},
		{"with the default password, and --allow-unauthenticated", known, kubeflow.ExposeOptions{AllowUnauthenticated: true}, "not made public: ", false},
		{"with the default password, and --allow-default-credentials", known, kubeflow.ExposeOptions{AllowDefaultCredentials: true}, "", false},
	} {
		plan, err := kubeflow.PreviewExpose(t.Context(), test.view, test.options)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if (plan.Refused != nil) != (test.refused != "") {
			t.Errorf("%s: refused is %v, want %q", test.name, plan.Refused, test.refused)
			continue
		}
		if plan.Refused == nil {
			continue
		}
		var usage *problem.Error
		if !strings.Contains(plan.Refused.Error(), test.refused) || plan.Refused.Unauthenticated != test.unauthenticated || !errors.As(plan.Refused, &usage) {
			t.Errorf("%s: refused with %+v", test.name, plan.Refused)
		}
		if _, err := plan.Apply(t.Context(), kubeflow.ExposeApplyOptions{}); err == nil {
			t.Errorf("%s: a refused plan is applied", test.name)
		}
	}
}
