package expose_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/tls"
)

var update = flag.Bool("update", false, "rewrite the expected outputs")

// Each case is a shape, objects that are added to it or replace its own, the flags, and the expected decision.
// The comment at the top describes the case.
func TestPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/plan/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := decided(t, archive)
			if want := section(archive, "want"); *update && want != got {
				rewriteCase(t, file, archive, got)
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// decided formats everything that is decided about a case.
func decided(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	objects := merged(parsed(t, read(t, "testdata/shapes/"+strings.TrimSpace(section(archive, "shape"))+".yaml")), parsed(t, section(archive, "cluster")))
	for _, object := range objects { // a server notes who wrote them
		object.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: expose.Manager, Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{},"f:annotations":{}}}`)}})
	}
	view, o := cluster.Objects("test objects", nil, objects...), options(t, section(archive, "flags"))
	target, err := expose.Read(context.Background(), view)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	secure := tls.Read(context.Background(), view, target, o)
	var out strings.Builder
	fmt.Fprintf(&out, "%s: %s\n", target.Authentication, target.Authentication.Reason)
	if why := target.Unready(); why != "" {
		fmt.Fprintf(&out, "the gateway is not ready: %s\n", why)
	}
	for _, e := range expose.Endpoints(target) {
		fmt.Fprintf(&out, "%s %s url=%q reach=%s ranges=%v made=%t blocked=%v\n", e.Via, e.About, e.URL, e.Reach, e.SourceRanges, e.CreatedByExpose, e.Blocked)
	}
	plan, err := loadbalancer.NewPlan(secure, o)
	if err != nil {
		return out.String() + "error: " + err.Error() + "\n"
	}
	fmt.Fprintf(&out, "reach=%s adopts=%t unsafe=%t changes=%d\n", plan.Reach, plan.Adopts, plan.Unsafe(target), len(plan.All()))
	for _, note := range plan.Notes {
		fmt.Fprintf(&out, "note: %s\n", note)
	}
	for _, c := range plan.All() {
		fmt.Fprintf(&out, "%s %s\n%s", c.Verb, c.Ref(), cluster.Diff(c.Before, c.After))
	}
	if undo := expose.PlanRemoval(target.Inventory); strings.TrimSpace(section(archive, "remove")) != "" {
		for _, c := range undo {
			fmt.Fprintf(&out, "removal: %s %s\n%s", c.Verb, c.Ref(), cluster.Diff(c.Before, c.After))
		}
	}
	return out.String()
}

func options(t *testing.T, flags string) expose.Options {
	t.Helper()
	var o expose.Options
	for _, flag := range strings.Fields(flags) {
		name, value, _ := strings.Cut(flag, "=")
		switch name {
		case "--internal":
			yes := value != "false"
			o.Internal = &yes
		case "--source-ranges":
			ranges, err := expose.ParseRanges(strings.Split(value, ","))
			if err != nil {
				t.Fatal(err)
			}
			o.SourceRanges = &ranges
		case "--dns-label":
			o.DNSLabel = &value
		case "--ip":
			o.IP = &value
		case "--ip-resource-group":
			o.IPGroup = &value
		case "--host":
			o.Host = &value
		case "--annotate":
			all, err := expose.ParseAnnotations([]string{value})
			if err != nil {
				t.Fatal(err)
			}
			o.Annotations = all
		case "--tls":
			o.TLS = &expose.TLS{From: value}
		case "--email":
			o.TLS.Email = value
		case "--tls-secret":
			o.TLS = &expose.TLS{From: expose.FromSecret, Secret: value}
		case "--port":
			if _, err := fmt.Sscan(value, &o.Port); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("no flag %s", name)
		}
	}
	return o
}

// merged returns the objects of a shape with a case's own; one of the same name replaces the other, and a
// "deleted" one removes it.
func merged(shape, own []*unstructured.Unstructured) []*unstructured.Unstructured {
	all := slices.DeleteFunc(shape, func(o *unstructured.Unstructured) bool {
		return slices.ContainsFunc(own, func(p *unstructured.Unstructured) bool {
			return cluster.RefOf(o).Identity() == cluster.RefOf(p).Identity()
		})
	})
	for _, o := range own {
		if _, gone := o.Object["deleted"]; !gone {
			all = append(all, o)
		}
	}
	return all
}

func parsed(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, document := range strings.Split("\n"+text, "\n---") {
		o := &unstructured.Unstructured{}
		body, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
		if string(body) == "null" {
			continue
		}
		if err := o.UnmarshalJSON(body); err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
		all = append(all, o)
	}
	return all
}

func read(t *testing.T, file string) string {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func section(archive *txtar.Archive, name string) string {
	for _, f := range archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func rewriteCase(t *testing.T, file string, archive *txtar.Archive, got string) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}
