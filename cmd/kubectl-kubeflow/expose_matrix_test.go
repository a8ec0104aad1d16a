package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	cliexpose "github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

const (
	matrixPage  = "../../docs/exposure.md"
	exposeCases = "../../pkg/expose/testdata/"
	checkCases  = "../../pkg/doctor/checks/"
)

// The kinds of authentication, as files of objects; later files overlay earlier ones.
var signIns = []struct {
	about string
	files []string
}{
	{"none", []string{exposeCases + "shapes/1.2.yaml"}},
	{"authservice, changed password", []string{exposeCases + "shapes/1.2.yaml", exposeCases + "plan/signin-authservice.txtar", checkCases + "auth/testdata/password/changed.txtar"}},
	{"authservice, default password", []string{exposeCases + "shapes/1.2.yaml", exposeCases + "plan/signin-authservice.txtar", checkCases + "auth/testdata/password/of-1.8.txtar"}},
	{"authservice, not ready", []string{exposeCases + "shapes/1.2.yaml", exposeCases + "plan/signin-authservice-down.txtar"}},
	{"oauth2-proxy, changed password and secrets", []string{exposeCases + "shapes/26.03.yaml", checkCases + "auth/testdata/password/changed.txtar", checkCases + "auth/testdata/secrets/its-own.txtar", "testdata/matrix-proxy.yaml"}},
	{"oauth2-proxy, default password", []string{exposeCases + "shapes/26.03.yaml", checkCases + "auth/testdata/password/of-26.03.txtar"}},
	{"oauth2-proxy, default secrets", []string{exposeCases + "shapes/26.03.yaml", checkCases + "auth/testdata/secrets/of-26.03.txtar", "testdata/matrix-proxy.yaml"}},
	{"oauth2-proxy, not ready", []string{exposeCases + "shapes/26.03.yaml", exposeCases + "plan/signin-proxy-down.txtar"}},
}

// The ways to expose the dashboard, and what a decision about each needs.
var waysIn = []struct {
	flags  string
	wanted expose.Options
}{
	{"--lb", expose.Options{}},
	{"--lb --source-ranges 203.0.113.0/24", expose.Options{SourceRanges: &[]string{"203.0.113.0/24"}}},
	{"--lb --internal", expose.Options{Internal: new(true)}},
	{"--port-forward", expose.Options{}},
	{"--port-forward --address 0.0.0.0", expose.Options{}},
}

// Which ways are allowed, for every kind of authentication: docs/exposure.md is generated from the decisions.
func TestTheExposureMatrixIsUpToDate(t *testing.T) {
	var page strings.Builder
	page.WriteString("# Access and authentication\n\nWhich ways to expose the dashboard `kubectl kubeflow expose` allows, depending on the authentication in front of it. " +
		"The numbers refer to the\nmessages below. A test generates this page from the program's decisions (`make golden`).\n\n| authentication |")
	for _, way := range waysIn {
		fmt.Fprintf(&page, " `%s` |", way.flags)
	}
	page.WriteString("\n|---|" + strings.Repeat("---|", len(waysIn)) + "\n")
	var messages []string
	for _, s := range signIns {
		view := cluster.Objects("a test's objects", nil, laid(t, s.files)...)
		fmt.Fprintf(&page, "| %s |", s.about)
		for _, way := range waysIn {
			decision, words := decide(t, view, way.flags, way.wanted)
			if narrow := way.flags != "--lb"; narrow && decision == "refused" {
				t.Errorf("%s, %s: a narrow way is refused: %s", s.about, way.flags, words)
			}
			if open := s.about == "none" || strings.Contains(s.about, "default") || strings.Contains(s.about, "not ready"); way.flags == "--lb" && open != (decision == "refused") {
				t.Errorf("%s: a public address is %s", s.about, decision)
			}
			if words != "" {
				if !slices.Contains(messages, words) {
					messages = append(messages, words)
				}
				decision += fmt.Sprintf(" (%d)", slices.Index(messages, words)+1)
			}
			fmt.Fprintf(&page, " %s |", decision)
		}
		page.WriteString("\n")
	}
	page.WriteString("\n## Messages\n\n")
	for i, words := range messages {
		fmt.Fprintf(&page, "%d. %s\n", i+1, strings.ReplaceAll(words, "\n", " "))
	}
	page.WriteString(reachTable(t))
	page.WriteString(signInTable(t))
	if *update {
		if err := os.WriteFile(matrixPage, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if old, err := os.ReadFile(matrixPage); err != nil || string(old) != page.String() {
		t.Errorf("docs/exposure.md is out of date: make golden rewrites it (%v)", err)
	}
}

const dashboardCases = "../../pkg/dashboard/testdata/"

// reachTable is who can connect to which Service of type LoadBalancer.
func reachTable(t *testing.T) string {
	var table strings.Builder
	table.WriteString("\n## Who can connect\n\nAn address is less than public only if everything that decides its reach is known and narrow: annotation " +
		"`azure-load-balancer-internal` with exactly\n`\"true\"`, or source ranges that admit at most a /10 of IPv4 and a /28 of IPv6 together, private ranges aside. The " +
		"networks of a company or of a\ncontent delivery network fit into that; the /8 of a cloud, where anyone can rent an address, does not. Service tags stand for " +
		"addresses that others use\nas well, except `VirtualNetwork` and `AzureLoadBalancer`. An Ingress or HTTPRoute counts as public, and so does a port of nodes " +
		"with public addresses.\n\n| Service of type LoadBalancer | IPv4 | IPv6 | both |\n|---|---|---|---|\n")
	for _, r := range kubetest.Reachables(t, dashboardCases+"reach.yaml") {
		fmt.Fprintf(&table, "| %s |", r.About)
		for _, families := range kubetest.Families {
			reach, _ := dashboard.ReachOf(r.Service(families))
			fmt.Fprintf(&table, " %s |", reach)
		}
		table.WriteString("\n")
	}
	return table.String()
}

// signInTable is which shapes of authentication are proven.
func signInTable(t *testing.T) string {
	var proven, open strings.Builder
	var reasons []string
	shapes := map[string][]string{} // by the reason why they are not proven
	for _, s := range kubetest.Shapes(t, dashboardCases+"signin.yaml") {
		view := cluster.Objects("a test's objects", nil, s.Objects(t, dashboardCases+"signin")...)
		gateway, err := dashboard.FindGateway(t.Context(), view)
		if err != nil {
			t.Fatal(err)
		}
		if a := gateway.Authenticate(t.Context(), view); a.Proven {
			fmt.Fprintf(&proven, "- %s\n", s.About)
		} else {
			reason := strings.ReplaceAll(a.Reason, "|", "\\|")
			if shapes[reason] == nil {
				reasons = append(reasons, reason)
			}
			shapes[reason] = append(shapes[reason], s.About)
		}
	}
	for _, reason := range reasons {
		fmt.Fprintf(&open, "| %s | %s |\n", strings.Join(shapes[reason], "; "), reason)
	}
	return "\n## Which authentication counts\n\nAuthentication is proven only if a chain that is understood covers every host, path, port and method of every pod that serves the dashboard, and " +
		"if its\nauthenticator runs. Anything else is not proven, and treated as open.\n\nProven:\n\n" + proven.String() + "\nNot proven:\n\n| difference | reason |\n|---|---|\n" + open.String()
}

func decide(t *testing.T, view cluster.View, flags string, wanted expose.Options) (decision, words string) {
	t.Helper()
	target, err := expose.Read(t.Context(), view)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(flags, "--port-forward") {
		if strings.Contains(flags, "0.0.0.0") && !target.Authentication.Proven {
			return "allowed with a warning", cliexpose.UnauthenticatedWarning("0.0.0.0:8080", target)
		}
		return "allowed", ""
	}
	plan, err := kubeflow.PreviewExpose(t.Context(), view, kubeflow.ExposeOptions{Options: wanted})
	if err != nil {
		t.Fatal(err)
	}
	if why := plan.Refused; why != nil {
		return "refused", why.Error() + ". " + why.Problem.Next
	}
	return "allowed", ""
}

// laid returns the objects of files. A later object replaces an earlier one; "deleted" removes it.
func laid(t *testing.T, files []string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
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
		for _, document := range strings.Split("\n"+string(text), "\n---") {
			body, err := yaml.YAMLToJSON([]byte(document))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if string(body) == "null" {
				continue
			}
			o := &unstructured.Unstructured{}
			if err := o.UnmarshalJSON(body); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all = slices.DeleteFunc(all, func(p *unstructured.Unstructured) bool {
				return cluster.RefOf(o).Identity() == cluster.RefOf(p).Identity()
			})
			if o.Object["deleted"] == nil {
				all = append(all, o)
			}
		}
	}
	return all
}
