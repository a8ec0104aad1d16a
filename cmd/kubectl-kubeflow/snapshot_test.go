//go:build unix

package main

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A snapshot is everything on a cluster: the content of each object, by "Kind/namespace/name".
type snapshot map[string]string

// What a snapshot leaves out, because any cluster changes it by itself.
var (
	restlessKinds = []string{
		"Event", "Event.events.k8s.io", // told and forgotten
		"Lease.coordination.k8s.io",                // renewed all the time
		"StorageVersion.internal.apiserver.k8s.io", // of the API servers themselves
	}
	everywhere     = []string{"ConfigMap/*/kube-root-ca.crt", "ServiceAccount/*/default"} // in every namespace
	restlessFields = [][]string{
		{"status"}, {"metadata", "resourceVersion"}, {"metadata", "managedFields"}, {"metadata", "generation"},
		{"metadata", "annotations", "node.alpha.kubernetes.io/ttl"}, // of Nodes: kept by a controller
	}
	madeUp = regexp.MustCompile(`pvc-[0-9a-f-]{36}|default-token-[a-z0-9]{5}`) // names that are random
)

// takeSnapshot looks at all objects of all kinds.
func takeSnapshot(ctx context.Context, client *cluster.Client) (snapshot, error) {
	kinds, err := client.Kinds()
	if err != nil {
		return nil, err
	}
	view := client.View()
	all := snapshot{}
	for _, kind := range kinds {
		if slices.Contains(restlessKinds, kind.String()) {
			continue
		}
		list, err := view.List(ctx, kind.GroupKind, cluster.Scope{})
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			ref := cluster.RefOf(o)
			name := madeUp.ReplaceAllString(ref.String(), "random")
			if !slices.Contains(everywhere, ref.Kind+"/*/"+ref.Name) && name != "Secret/"+ref.Namespace+"/random" {
				all[name] = steady(o)
			}
		}
	}
	return all, nil
}

// steady is what of an object does not change by itself: its uid stays in, so that an object made anew shows.
func steady(o *unstructured.Unstructured) string {
	o = o.DeepCopy()
	for _, field := range restlessFields {
		unstructured.RemoveNestedField(o.Object, field...)
	}
	body, err := json.Marshal(o.Object)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// since says in lines what came (+), went (-) or changed (~).
func (s snapshot) since(before snapshot) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		switch was, there := before[name]; {
		case !there:
			lines = append(lines, "+ "+name)
		case was != s[name]:
			lines = append(lines, "~ "+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, there := s[name]; !there {
			lines = append(lines, "- "+name)
		}
	}
	return strings.Join(append(lines, ""), "\n")
}

// takeForScript: "snapshot NAME" remembers everything on the cluster.
func takeForScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: snapshot NAME")
	}
	all, err := takeSnapshot(context.Background(), clientOf(ts))
	ts.Check(err)
	body, err := json.Marshal(all)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), body, 0o600))
}

// sinceForScript: "since NAME FILE" wants exactly the differences that a file lists since a snapshot. What a cluster
// cleans up by itself may take it a while.
func sinceForScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: since NAME FILE")
	}
	var before snapshot
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &before))
	want := ts.ReadFile(args[1])
	client := clientOf(ts)
	got := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Second) {
		all, err := takeSnapshot(context.Background(), client)
		if err != nil {
			continue // a kind went while it was looked at
		}
		if got = all.since(before); got == want {
			return
		}
	}
	ts.Fatalf("since %s:\n%s\nwant:\n%s", args[0], got, want)
}

func clientOf(ts *testscript.TestScript) *cluster.Client {
	kubeconfig, cache := ts.Getenv("KUBECONFIG"), ts.MkAbs("discovery")
	flags := genericclioptions.NewConfigFlags(true).WithDiscoveryQPS(-1).
		WithWrapConfigFn(func(c *rest.Config) *rest.Config { c.WarningHandler = rest.NoWarnings{}; return c })
	flags.KubeConfig, flags.CacheDir = &kubeconfig, &cache
	client, err := cluster.Connect(flags)
	ts.Check(err)
	return client
}

// nameContext: "context" sets $CONTEXT to the name of the kubeconfig's context.
func nameContext(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv("CONTEXT", clientOf(ts).Context)
}

// makeProfile: "profile NAME [VERSION]" makes a Profile as a user does, and its namespace as Kubeflow's controller does.
func makeProfile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: profile NAME")
	}
	client := clientOf(ts)
	write := func(o map[string]any, manager string) *unstructured.Unstructured {
		change := cluster.Change{Verb: cluster.Apply, After: &unstructured.Unstructured{Object: o}}
		made, err := client.Do(context.Background(), change, cluster.Options{Manager: manager, Force: true})
		ts.Check(err)
		return made
	}
	profile := write(map[string]any{
		"apiVersion": "kubeflow.org/v1", "kind": "Profile", "metadata": map[string]any{"name": args[0]},
		"spec": map[string]any{"owner": map[string]any{"kind": "User", "name": args[0] + "@example.org"}},
	}, "a-user")
	write(map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{
			"name": args[0], "labels": map[string]any{"app.kubernetes.io/part-of": "kubeflow-profile"},
			"ownerReferences": []any{map[string]any{
				"apiVersion": "kubeflow.org/v1", "kind": "Profile", "name": args[0], "uid": string(profile.GetUID()), "controller": true, "blockOwnerDeletion": true,
			}},
		},
	}, "profile-controller")
}
