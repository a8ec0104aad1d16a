package kubeflow_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/loadbalancer"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// The doctor and expose read one model of the dashboard's exposure, so they may not contradict each other. Every case that either
// of them has about it is put to both:
//
//   - a gateway is found by both, or by neither;
//   - the public addresses that expose calls unsafe, of load balancers, Ingresses, routes and nodes, are those that exposure/authentication
//     reports;
//   - ports that expose calls blocked, where an engine enforces that, are reported by exposure/network-policy;
//   - a public address that expose would refuse to make, or to leave as it is, is reported once it is made, and no other one is;
//   - once expose's changes are made, exposure/network-policy has nothing to report.
func TestDoctorAndExposeReachOneVerdict(t *testing.T) {
	seen := map[string]int{}
	for name, objects := range exposureCases(t) {
		t.Run(name, func(t *testing.T) { oneVerdict(t, objects, seen) })
	}
	for _, verdict := range []string{"no gateway", "unsafe", "safe", "blocked", "refused", "accepted", "opened"} {
		if seen[verdict] < 2 {
			t.Errorf("%d cases are %s: the comparison is about nothing", seen[verdict], verdict)
		}
	}
	t.Logf("verdicts: %v", seen)
}

func oneVerdict(t *testing.T, objects []*unstructured.Unstructured, seen map[string]int) {
	view := clusterOf(objects)
	authentication, policy := diagnose(t, view, "exposure/authentication"), diagnose(t, view, "exposure/network-policy")
	target, err := expose.Read(t.Context(), view)
	none := errors.Is(err, dashboard.ErrNoGateway)
	for _, check := range []doctor.CheckReport{authentication, policy, diagnose(t, view, "exposure/endpoint")} {
		if skipped := check.Status == doctor.NotApplicable && !strings.Contains(check.Reason, "no load balancer") && !strings.Contains(check.Reason, "no address outside"); skipped != none {
			t.Errorf("%s is %s (%s), and expose says: %v", check.ID, check.Status, check.Reason, err)
		}
	}
	if none {
		seen["no gateway"]++
		return
	}
	if err != nil {
		t.Fatal(err)
	}

	unsafe, blocked := []string{}, false
	for _, e := range expose.Endpoints(target) {
		if e.Reach == dashboard.Public && e.Live() && !target.Authentication.Proven {
			unsafe = append(unsafe, e.About.String())
		}
		blocked = blocked || e.Via == "LoadBalancer" && len(e.Blocked) > 0 && target.Engine != ""
	}
	compare(t, "unsafe", unsafe, errorsOf(authentication))
	if reported := len(errorsOf(policy)) > 0; reported != blocked {
		t.Errorf("blocked: expose says %t, exposure/network-policy %t", blocked, reported)
	}
	count(seen, len(unsafe) > 0, "unsafe", "safe")
	count(seen, blocked, "blocked", "reachable")

	preview, err := kubeflow.PreviewExpose(t.Context(), view, kubeflow.ExposeOptions{Options: expose.Options{Internal: new(bool), SourceRanges: &[]string{}}})
	if err != nil {
		return // expose explains why it cannot: that is no verdict on what is there
	}
	plan := preview.Plan
	made := diagnose(t, after(objects, plan), "exposure/authentication")
	refused := preview.Refused != nil && preview.Refused.Unauthenticated
	if reported := slices.Contains(errorsOf(made), plan.Service.String()); reported != refused {
		t.Errorf("a public address: refused by expose: %t; reported once it is there: %t (%s, %s)", refused, reported, target.Authentication, target.Authentication.Reason)
	}
	count(seen, refused, "refused", "accepted")
	if left := errorsOf(diagnose(t, after(objects, plan), "exposure/network-policy")); len(left) > 0 {
		t.Errorf("exposed, the gateway is still blocked: %v", left)
	}
	count(seen, len(target.Closed()) > 0, "opened", "open")
}

func clusterOf(objects []*unstructured.Unstructured) cluster.View {
	return cluster.Objects("a test's objects", nil, objects...)
}

// after returns the cluster once a plan's changes are made and Azure has given the address.
func after(objects []*unstructured.Unstructured, plan loadbalancer.Plan) cluster.View {
	all := slices.Clone(objects)
	for _, change := range plan.Changes {
		all = slices.DeleteFunc(all, func(o *unstructured.Unstructured) bool { return cluster.RefOf(o).Identity() == change.Ref().Identity() })
		all = append(all, change.After)
	}
	for i, o := range all {
		if cluster.RefOf(o) == plan.Service {
			all[i] = o.DeepCopy()
			_ = unstructured.SetNestedSlice(all[i].Object, []any{map[string]any{"ip": "20.1.2.3"}}, "status", "loadBalancer", "ingress")
		}
	}
	return clusterOf(all)
}

func diagnose(t *testing.T, view cluster.View, id string) doctor.CheckReport {
	t.Helper()
	found, err := checks.Find(id)
	if err != nil {
		t.Fatal(err)
	}
	return doctor.Diagnose(t.Context(), view, found, doctor.Options{}).Checks[0]
}

// errorsOf returns what a check reports errors about.
func errorsOf(c doctor.CheckReport) []string {
	about := []string{}
	for _, f := range c.Findings {
		if f.Severity == doctor.Error {
			about = append(about, f.About.Ref.String())
		}
	}
	return about
}

func compare(t *testing.T, what string, byExpose, byDoctor []string) {
	t.Helper()
	slices.Sort(byExpose)
	slices.Sort(byDoctor)
	if !slices.Equal(byExpose, byDoctor) {
		t.Errorf("%s: expose says %v, the doctor %v", what, byExpose, byDoctor)
	}
}

func count(seen map[string]int, is bool, yes, no string) {
	if is {
		seen[yes]++
	} else {
		seen[no]++
	}
}

// exposureCases returns the objects of every case about the exposure, by its file.
func exposureCases(t *testing.T) map[string][]*unstructured.Unstructured {
	t.Helper()
	cases := map[string][]*unstructured.Unstructured{}
	for _, pattern := range []string{"../doctor/checks/exposure/testdata/*/*.txtar",
		"../doctor/checks/auth/testdata/*/*.txtar", "../expose/testdata/plan/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var objects []*unstructured.Unstructured
			for _, section := range archive.Files {
				switch section.Name {
				case "shape":
					text, err := os.ReadFile("../expose/testdata/shapes/" + strings.TrimSpace(string(section.Data)) + ".yaml")
					if err != nil {
						t.Fatal(err)
					}
					objects = put(t, objects, string(text))
				case "cluster", "cluster.yaml":
					objects = put(t, objects, string(section.Data))
				}
			}
			cases[strings.TrimPrefix(file, "../")] = objects
		}
	}
	if len(cases) < 100 {
		t.Fatalf("only %d cases were found", len(cases))
	}
	return cases
}

// put adds the objects of a text; one of the same name takes another's place, and a "deleted" one takes it away.
func put(t *testing.T, all []*unstructured.Unstructured, text string) []*unstructured.Unstructured {
	t.Helper()
	for document := range strings.SplitSeq("\n"+text, "\n---") {
		o := &unstructured.Unstructured{}
		body, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		if string(body) == "null" {
			continue
		}
		if err := o.UnmarshalJSON(body); err != nil {
			t.Fatal(err)
		}
		all = slices.DeleteFunc(all, func(p *unstructured.Unstructured) bool {
			return cluster.RefOf(p).Identity() == cluster.RefOf(o).Identity()
		})
		if o.Object["deleted"] == nil {
			all = append(all, o)
		}
	}
	return all
}
