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

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
)

const (
	matrixPage  = "../../docs/exposure.md"
	exposeCases = "../../pkg/expose/testdata/"
	checkCases  = "../../pkg/doctor/checks/testdata/"
)

// How visitors sign in, as files of objects that are laid over each other.
var signIns = []struct {
	about string
	files []string
}{
	{"nobody signs in", []string{exposeCases + "shapes/1.2.yaml"}},
	{"authservice, a password of one's own", []string{exposeCases + "shapes/1.2.yaml", exposeCases + "plan/signin-authservice.txtar", checkCases + "auth-password/changed.txtar"}},
	{"authservice, the password that every Kubeflow comes with", []string{exposeCases + "shapes/1.2.yaml", exposeCases + "plan/signin-authservice.txtar", checkCases + "auth-password/of-1.8.txtar"}},
	{"authservice, which does not run", []string{exposeCases + "shapes/1.2.yaml", exposeCases + "plan/signin-authservice-down.txtar"}},
	{"oauth2-proxy, a password and secrets of one's own", []string{exposeCases + "shapes/26.03.yaml", checkCases + "auth-password/changed.txtar", checkCases + "auth-secrets/its-own.txtar", "testdata/matrix-proxy.yaml"}},
	{"oauth2-proxy, the password that every Kubeflow comes with", []string{exposeCases + "shapes/26.03.yaml", checkCases + "auth-password/of-26.03.txtar"}},
	{"oauth2-proxy, the secrets that every Kubeflow comes with", []string{exposeCases + "shapes/26.03.yaml", checkCases + "auth-secrets/of-26.03.txtar", "testdata/matrix-proxy.yaml"}},
	{"oauth2-proxy, which does not run", []string{exposeCases + "shapes/26.03.yaml", exposeCases + "plan/signin-proxy-down.txtar"}},
}

// The ways in, and what a decision about each needs.
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

// Who is let in how, for every kind of sign-in and every way: the page docs/exposure.md is made of what is decided.
func TestWhoIsLetInHow(t *testing.T) {
	var page strings.Builder
	page.WriteString(`# Who is let in how

For each way to sign in and each way in: whether ` + "`kubectl kubeflow expose`" + ` does it, and what it says. Made by a test from what is decided (` + "`make golden`" + `).

| sign-in | expose | decision | words |
|---|---|---|---|
`)
	for _, s := range signIns {
		view := cluster.Objects("a test's objects", nil, laid(t, s.files)...)
		for _, way := range waysIn {
			decision, words := decide(t, view, way.flags, way.wanted)
			fmt.Fprintf(&page, "| %s | `%s` | %s | %s |\n", s.about, way.flags, decision, strings.ReplaceAll(words, "\n", "<br>"))
			if narrow := way.flags != "--lb"; narrow && decision == "refused" {
				t.Errorf("%s, %s: a narrow way is refused: %s", s.about, way.flags, words)
			}
			if open := s.about == "nobody signs in" || strings.Contains(s.about, "every Kubeflow") || strings.Contains(s.about, "does not run"); way.flags == "--lb" && open != (decision == "refused") {
				t.Errorf("%s: a public address is %s", s.about, decision)
			}
		}
	}
	if *update {
		if err := os.WriteFile(matrixPage, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if old, err := os.ReadFile(matrixPage); err != nil || string(old) != page.String() {
		t.Errorf("docs/exposure.md is not what is decided now: make golden rewrites it (%v)", err)
	}
}

func decide(t *testing.T, view cluster.View, flags string, wanted expose.Options) (decision, words string) {
	t.Helper()
	target, err := expose.Look(t.Context(), view)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(flags, "--port-forward") {
		if strings.Contains(flags, "0.0.0.0") && !target.SignIn.InFront() {
			return "allowed", everybodyIsIn("0.0.0.0:8080", target)
		}
		return "allowed", ""
	}
	plan, err := expose.PlanLoadBalancer(target, wanted)
	if err != nil {
		t.Fatal(err)
	}
	o := &exposeOptions{dryRun: "none"}
	if why, _ := o.refused(t.Context(), view, target, plan); why != nil {
		return "refused", why.What + ". " + why.Next
	}
	return "allowed", ""
}

// laid returns the objects of files, a later one's in the place of an earlier one's; a "deleted" one takes it away.
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
