package checks

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
)

const fixTable = "../../../docs/fixes.md"

// TestEveryFailingCaseOnARealServer creates every failing case on a real API server and expects the findings of its file there. A fix
// is applied, applied again without any change, and undone, after which the finding is back. docs/fixes.md is the table of results.
func TestEveryFailingCaseOnARealServer(t *testing.T) {
	sandboxtest.Needed(t)
	ctx, done := context.WithTimeout(t.Context(), 12*time.Minute)
	defer done()
	kubeconfig, stop := sandboxtest.Start("--kubernetes=1.35", "--api-only")
	defer stop()
	client := sandboxtest.Connect(t, kubeconfig)
	cases := &caseCluster{client: client}
	var all []*unstructured.Unstructured
	eachCase(t, func(t *testing.T, _ *doctor.Check, _ string, a *txtar.Archive) {
		all = append(all, objects(t, file(a, "cluster.yaml"))...)
	})
	all = append(all, kindsOfChecks()...)
	if err := cases.createCRDs(ctx, all); err != nil {
		t.Fatal(err)
	}
	go cases.simulateControllers(ctx)

	rows, failing := map[string]string{}, 0
	eachCase(t, func(t *testing.T, c *doctor.Check, path string, a *txtar.Archive) {
		if !strings.HasPrefix(file(a, "want"), string(doctor.Found)) || ctx.Err() != nil {
			return
		}
		failing++
		name := c.ID + ": " + strings.TrimSuffix(strings.Join(strings.Fields(string(a.Comment)), " "), ".")
		t.Run(caseName(path), func(t *testing.T) { rows[name] = cases.run(t, ctx, c, path, a) })
	})
	if len(rows) == failing { // otherwise -run selected only some
		compareTable(t, rows)
	}
}

// kindsOfChecks returns an object of each kind that checks read, so that all of them are defined.
func kindsOfChecks() []*unstructured.Unstructured {
	versions := map[string]string{"security.istio.io": "v1", "networking.istio.io": "v1alpha3", "gateway.networking.k8s.io": "v1", "templates.gatekeeper.sh": "v1", "cert-manager.io": "v1", "argoproj.io": "v1alpha1", "karpenter.sh": "v1"}
	var list []*unstructured.Unstructured
	for _, c := range All() {
		for _, kind := range c.Reads {
			if v := versions[kind.Group]; v != "" {
				list = append(list, &unstructured.Unstructured{Object: map[string]any{"apiVersion": kind.Group + "/" + v, "kind": kind.Kind}})
			}
		}
	}
	return list
}

// skipReason returns why a case cannot be created on an API server, or "".
func skipReason(path string, a *txtar.Archive) string {
	if why := skippedCases[caseName(path)]; why != "" {
		return why
	}
	for _, f := range a.Files {
		switch {
		case f.Name == "install.yaml":
			return "before an install"
		case f.Name == "now":
			return "needs time to pass"
		case strings.HasPrefix(f.Name, "logs/"):
			return "needs logs"
		case strings.HasPrefix(f.Name, "raw/"):
			return "needs the server's own response"
		case f.Name == "operator.yaml":
			return "needs an operator's CRD"
		}
	}
	return ""
}

// skippedCases are the cases that cannot be created on an API server, with the reason.
var skippedCases = map[string]string{
	"platform/removed-apis/of-kubeflow-1-2":                   "no API server serves these APIs anymore",
	"references/names/cluster":                                "needs a mesh",
	"references/names/a-healthy-cluster":                      "needs a mesh",
	"references/names/permissions-of-a-cluster":               "needs a mesh",
	"references/names/routes-of-a-cluster":                    "needs a mesh",
	"references/names/configurations":                         "needs a mesh",
	"references/names/manifests":                              "of manifests alone",
	"platform/webhook-policies/manifests":                     "of manifests alone",
	"manifests/valid/refused":                                 "no API server accepts these objects",
	"platform/admissions-enforcer/manifests-for-aks":          "before an install",
	"certificates/pipelines-cache/denied":                     "needs a rejecting admission webhook",
	"training/mpi-operator/not-replaced-while-there-are-jobs": "needs an operator's CRD",
	"training/mpi-operator/reads-with-v2beta1":                "needs an operator's CRD",
	"training/mpi-operator/will-crash":                        "before it has run",
	"tenancy/namespace-deletion/an-unresponsive-api":          "needs a terminating namespace",
	"tenancy/namespace-deletion/finalizers":                   "needs a terminating namespace",
}

// run creates one case, fixes and undoes it, and returns its row of the table.
func (s *caseCluster) run(t *testing.T, ctx context.Context, c *doctor.Check, path string, a *txtar.Archive) string {
	if why := skipReason(path, a); why != "" {
		return "not on a server: " + why + " | | |"
	}
	defer s.deleteCase(t, ctx)
	if err := s.create(ctx, objects(t, file(a, "cluster.yaml"))); err != nil {
		t.Errorf("%s: %v", path, err)
		return "? | | |"
	}
	view, settings := read(t, a)
	o := doctor.Options{Settings: settings}
	wanted := keys(runCheck(view, c, settings))
	find := func() []string {
		return keys(doctor.Diagnose(ctx, s.client.View(), []*doctor.Check{c}, o).Checks[0])
	}
	if got := find(); !slices.Equal(got, wanted) {
		t.Errorf("%s: the server has %q, the file %q", path, got, wanted)
		return "? | | |"
	}
	fix := func() *doctor.Report {
		r, err := fixes.Apply(ctx, s.client, []*doctor.Check{c}, fixes.Options{Options: o, Allow: []doctor.Impact{doctor.RestartsPods, doctor.LosesData}, Wait: 5 * time.Second, Now: time.Now})
		if err != nil {
			t.Errorf("%s: applying fixes: %v", path, err)
		}
		return r
	}
	r := fix()
	switch n := outcomes(r); {
	case len(r.Fixes) == 0:
		return "found | no automatic fix | |"
	case n[doctor.Remains] > 0 && n[doctor.Remains] == len(r.Fixes):
		return "found | applied; takes effect in recreated pods | |"
	case n[doctor.Fixed] != len(r.Fixes):
		t.Errorf("%s: the outcomes are %v: %s", path, n, r.Fixes[0].Reason)
		return "detected | ? | |"
	}
	if again := fix(); len(again.Fixes) > 0 {
		t.Errorf("%s: the second fix changes %s", path, again.Fixes[0].About)
	}
	if u := undoLast(t, ctx, s.client); !u.Whole() {
		t.Errorf("%s: the undo is incomplete: %+v", path, u.Steps)
	}
	if got := find(); !slices.Equal(got, wanted) {
		t.Errorf("%s: after undo got %q, before the fix %q", path, got, wanted)
	}
	return "found | fixed; second fix: no change | undone | found again"
}

// keys identify the findings by severity, object and field; the messages may contain counts that differ on a server.
func keys(c doctor.CheckReport) []string {
	list := []string{}
	for _, f := range c.Findings {
		list = append(list, fmt.Sprintf("%s %s %s", f.Severity, f.About.Ref, f.About.Field))
	}
	if len(list) == 0 {
		list = append(list, string(c.Status)+" "+c.Reason)
	}
	slices.Sort(list)
	return list
}

func compareTable(t *testing.T, rows map[string]string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Failing cases and their fixes, tested on a real API server\n\nA test (TestEveryFailingCaseOnARealServer in pkg/doctor/checks) generates this page. It creates each failing case on a real API server, checks that the problem is\n" +
		"found, fixes it, checks that a second fix changes nothing, undoes the fix, and checks that the problem is back. Where a fix takes effect only in recreated pods,\nother tests do the same on the whole sandbox (the guide's Kubeflow, the injector, the MPI operator).\n\n" +
		"| case | found | fixed | undone | after undo |\n|---|---|---|---|---|\n")
	for _, c := range Every() {
		for _, name := range slices.Sorted(maps.Keys(rows)) {
			if strings.HasPrefix(name, c.ID+": ") {
				fmt.Fprintf(&b, "| %s | %s |\n", name, strings.TrimSuffix(strings.TrimSpace(rows[name]), " |"))
			}
		}
	}
	if *update {
		if err := os.WriteFile(fixTable, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(fixTable); err != nil || string(got) != b.String() {
		t.Errorf("docs/fixes.md is out of date (%v); go test ./pkg/doctor/checks -run EveryFailingCase -update rewrites it. Now it is:\n%s", err, b.String())
	}
}
