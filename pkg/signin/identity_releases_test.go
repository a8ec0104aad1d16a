package signin

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/auth"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/record"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

var update = flag.Bool("update", false, "rewrite the expected changes")

const (
	tenant   = "11111111-2222-3333-4444-555555555555"
	theirs   = "https://kf.example.com"
	topClass = "S3cr3t~of.the-client_1"
)

var front = Front{Namespace: "istio-system", Pods: labels.Set{"app": "istio-ingressgateway", "istio": "ingressgateway"}}

// identities are what users sign in with, by what the test calls them.
func identities() map[string]Identity {
	with := func(i Identity) Identity {
		i.Revision = "1"
		return i
	}
	oidc := Identity{Name: "okta", Title: "Okta", Issuer: "https://example.okta.com", ClientID: "0oa1", Secret: topClass, URL: theirs, Claim: "email"}
	dex, proxy := oidc, oidc
	dex.Via, proxy.Via = ViaDex, ViaProxy
	named := dex
	named.Claim = "upn"
	entra := Entra{Tenant: tenant, Cloud: "AzureCloud"}
	china, federated := entra, entra
	china.Cloud, federated.WorkloadIdentity = "AzureChinaCloud", true
	return map[string]Identity{
		"oidc-dex": with(dex), "oidc-dex-claim": with(named), "oidc-proxy": with(proxy),
		"entra-dex": with(NewEntra(entra, "c1", topClass, ViaDex, theirs)), "entra-dex-china": with(NewEntra(china, "c1", topClass, ViaDex, theirs)),
		"entra-proxy": with(NewEntra(entra, "c1", topClass, ViaProxy, theirs)), "entra-proxy-federated": with(NewEntra(federated, "c1", "", ViaProxy, theirs)),
	}
}

// refused are those that a release cannot have.
var refused = map[string]string{
	"1.10.2 entra-proxy-federated": "oauth2-proxy v7.7.1 cannot sign in with a workload identity",
	"1.8.1 oidc-proxy":             "this release signs users in with authservice",
	"1.8.1 entra-proxy":            "this release signs users in with authservice",
	"1.8.1 entra-proxy-federated":  "this release signs users in with authservice",
}

var renders = map[string]func() ([]*unstructured.Unstructured, error){}

var renderedReleases = []string{"26.03", "1.10.2", "1.8.1"}

// eachRelease calls test with the objects that authenticate users in the releases, as they are rendered.
func eachRelease(t *testing.T, test func(t *testing.T, version string, objects []*unstructured.Unstructured)) {
	mirror := kubetest.Mirror(t)
	for _, version := range renderedReleases {
		if renders[version] == nil {
			renders[version] = sync.OnceValues(func() ([]*unstructured.Unstructured, error) {
				only := []string{"dex", "oauth2-proxy", "notebooks"}
				if version == "1.8.1" {
					only = []string{"dex", "authservice"}
				}
				rendered, err := release.Render(t.Context(), release.Input{Release: version}, release.RenderOptions{Mirror: mirror, SkipVerify: true, CacheDir: t.TempDir(), Only: only})
				if err != nil {
					return nil, err
				}
				objects := []*unstructured.Unstructured{{Object: map[string]any{"apiVersion": "v1", "kind": "ServiceAccount", // each namespace has it
					"metadata": map[string]any{"name": "default", "namespace": "oauth2-proxy"}}}}
				for _, o := range rendered.Objects() {
					if matters(o) {
						objects = append(objects, o)
					}
				}
				return objects, nil
			})
		}
		t.Run(version, func(t *testing.T) {
			objects, err := renders[version]()
			if err != nil {
				t.Fatal(err)
			}
			test(t, version, objects)
		})
	}
}

// matters reports whether an object has to do with how users sign in.
func matters(o *unstructured.Unstructured) bool {
	switch o.GetNamespace() {
	case "auth", "oauth2-proxy":
		return true
	case "istio-system":
		return !strings.Contains(o.GetName(), "stats-filter") && !strings.HasPrefix(o.GetName(), "istio-sidecar-injector")
	}
	return o.GetKind() == "Deployment" || o.GetKind() == "VirtualService" || o.GetKind() == "Gateway"
}

// diff returns how two worlds differ, "" if they do not.
func diff(a, b world) string {
	if reflect.DeepEqual(a, b) {
		return ""
	}
	return cmp.Diff(a, b)
}

// A world is the objects of a cluster, to which changes are made.
type world map[cluster.Ref]*unstructured.Unstructured

func worldOf(objects []*unstructured.Unstructured) world {
	w := world{}
	for _, o := range objects {
		w[cluster.RefOf(o).Identity()] = o.DeepCopy()
	}
	return w
}

func (w world) view() cluster.View {
	var all []*unstructured.Unstructured
	for _, o := range w {
		all = append(all, o)
	}
	return cluster.Objects("a test", nil, all...)
}

func (w world) copy() world {
	c := world{}
	for ref, o := range w {
		c[ref] = o.DeepCopy()
	}
	return c
}

// writes makes the changes of a transition in its order, and returns the number of them; it stops after most.
func (w world) writes(t *testing.T, tr *Transition, most int, after func(Stage)) int {
	t.Helper()
	n := 0
	for s := Accept; s < Stages; s++ {
		for _, late := range []bool{false, true} {
			for _, target := range tr.Targets {
				ref := cluster.RefOf(target.Want).Identity()
				next := s.At(w[ref], target.Want)
				if Later(next) != late || reflect.DeepEqual(w[ref].Object, next.Object) {
					continue
				}
				if n++; n > most {
					return n
				}
				w[ref] = next.DeepCopy()
			}
		}
		if after != nil {
			after(s)
		}
	}
	return n
}

func (w world) plan(t *testing.T, now *Record, to *Identity) *Transition {
	t.Helper()
	before := w.copy()
	tr, err := PlanTransition(t.Context(), w.view(), front, now, to)
	if err != nil {
		t.Fatal(err)
	}
	if diff := diff(before, w); diff != "" {
		t.Fatalf("planning writes to the objects of the View: %s", diff)
	}
	return tr
}

const all = 1 << 20

func TestAnIdentityIsPlannedForEachRelease(t *testing.T) {
	eachRelease(t, func(t *testing.T, version string, objects []*unstructured.Unstructured) {
		for name, i := range identities() {
			t.Run(name, func(t *testing.T) {
				w := worldOf(objects)
				tr, err := PlanTransition(t.Context(), w.view(), front, nil, &i)
				if why := refused[version+" "+name]; why != "" {
					var p *problem.Error
					if !errors.As(err, &p) || !strings.Contains(p.What, why) || p.Next == "" {
						t.Errorf("%v, want %q", err, why)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				golden(t, filepath.Join("testdata", "identity", version+"-"+name+".diff"), tr)
				w.writes(t, tr, all, nil)
				if again := w.plan(t, tr.Record, &i).Changes(); len(again) > 0 {
					t.Errorf("planned again, it changes %s", cluster.Diff(again[0].Before, again[0].After))
				}
				w.consistent(t, worldOf(objects))
				w.writes(t, w.plan(t, tr.Record, nil), all, nil)
				if diff := diff(worldOf(objects), w); diff != "" {
					t.Errorf("its removal leaves %s", diff)
				}
			})
		}
	})
}

// golden compares the lines that change, and why, with a file. No secret is in it.
func golden(t *testing.T, file string, tr *Transition) {
	t.Helper()
	var b strings.Builder
	for _, target := range tr.Targets {
		b.WriteString("# " + strings.Join(target.Reasons, "; ") + "\n" + cluster.Diff(target.Live, target.Want))
	}
	got := b.String()
	for _, secret := range []string{topClass, base64.StdEncoding.EncodeToString([]byte(topClass))} {
		if strings.Contains(got, secret) {
			t.Error("the diff shows the client secret")
		}
	}
	got = changedLines(got)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(want, []byte(got)) {
		t.Errorf("%s: %v %s", file, err, cmp.Diff(string(want), got))
	}
}

// changedLines returns a diff without the lines around what changes, which are the releases'.
func changedLines(diff string) string {
	var b strings.Builder
	for line := range strings.Lines(diff) {
		if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "@@") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// consistent asks the doctor whether users can sign in: it finds nothing that it did not find before.
func (w world) consistent(t *testing.T, before world) {
	t.Helper()
	known := before.findings(t)
	for _, f := range w.findings(t) {
		if !slices.Contains(known, f) {
			t.Errorf("the doctor finds: %s", f)
		}
	}
}

func (w world) findings(t *testing.T) (all []string) {
	t.Helper()
	c := doctor.Diagnose(t.Context(), w.view(), []*doctor.Check{auth.SignIn}, doctor.Options{}).Checks[0]
	if c.Status != doctor.OK && c.Status != doctor.Found {
		t.Errorf("the check is %s: %s", c.Status, c.Reason)
	}
	for _, f := range c.Findings {
		all = append(all, f.Message)
	}
	return all
}

// Whatever the stage, tokens of the old issuer or those of the new one are accepted, and both before the old way ends.
func TestNobodyIsLockedOutBetweenTheStages(t *testing.T) {
	eachRelease(t, func(t *testing.T, version string, objects []*unstructured.Unstructured) {
		for name, i := range identities() {
			if refused[version+" "+name] != "" || version == "1.8.1" { // authservice passes no tokens on
				continue
			}
			w := worldOf(objects)
			old := w.issuers()
			tr := w.plan(t, nil, &i)
			to := worldOf(objects)
			to.writes(t, tr, all, nil)
			for _, step := range []struct{ tr *Transition }{{tr}, {to.plan(t, tr.Record, nil)}} {
				w.writes(t, step.tr, all, func(s Stage) {
					for _, target := range step.tr.Targets { // the new pods find the secrets
						for key, value := range kube.Map(target.Want.Object, "data") {
							if got := kube.Map(w[cluster.RefOf(target.Want).Identity()].Object, "data")[key]; s == Switch && got != value {
								t.Errorf("%s: when pods are replaced, %s has another %s", name, cluster.RefOf(target.Want), key)
							}
						}
					}
					got := w.issuers()
					for _, issuer := range slices.Concat(old, to.issuers()) {
						if s != Settle && !slices.Contains(got, issuer) {
							t.Errorf("%s: in stage %d, the gateway accepts %q, and not %s", name, s, got, issuer)
						}
					}
				})
			}
		}
	})
}

func (w world) issuers() (all []string) {
	for _, o := range w {
		if o.GetKind() == "RequestAuthentication" {
			for _, rule := range kube.Items(o.Object, "spec", "jwtRules") {
				all = append(all, kube.Text(rule, "issuer"))
			}
		}
	}
	return all
}

// Interrupted after any write, the same command completes it, and a removal leaves nothing.
func TestAnInterruptedRunIsCompletedOrRemoved(t *testing.T) {
	eachRelease(t, func(t *testing.T, version string, objects []*unstructured.Unstructured) {
		for name, i := range identities() {
			if refused[version+" "+name] != "" {
				continue
			}
			done := worldOf(objects)
			tr := done.plan(t, nil, &i)
			steps := done.writes(t, tr, all, nil)
			for most := range steps {
				w := worldOf(objects)
				w.writes(t, tr, most, nil)
				removed := w.copy()
				w.writes(t, w.plan(t, tr.Record, &i), all, nil)
				if diff := diff(done, w); diff != "" {
					t.Fatalf("%s, after %d of %d writes, run again: %s", name, most, steps, diff)
				}
				removed.writes(t, removed.plan(t, tr.Record, nil), all, nil)
				if diff := diff(worldOf(objects), removed); diff != "" {
					t.Fatalf("%s, after %d of %d writes, removed: %s", name, most, steps, diff)
				}
			}
		}
	})
}

// One identity takes the place of another, and nothing is left of the first.
func TestAnIdentityReplacesAnother(t *testing.T) {
	eachRelease(t, func(t *testing.T, version string, objects []*unstructured.Unstructured) {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(identities())), func(name string) bool { return refused[version+" "+name] != "" })
		for n, from := range names { // each takes the place of the one before
			for _, to := range []string{names[(n+1)%len(names)]} {
				first, second := identities()[from], identities()[to]
				second.Revision = "2"
				w, direct := worldOf(objects), worldOf(objects)
				direct.writes(t, direct.plan(t, nil, &second), all, nil)
				tr := w.plan(t, nil, &first)
				w.writes(t, tr, all, nil)
				again := w.plan(t, tr.Record, &second)
				started := w.copy()
				steps := w.writes(t, again, all, nil)
				for _, most := range []int{1, steps / 2, steps - 1} { // interrupted, and removed
					half := started.copy()
					half.writes(t, again, most, nil)
					rec, err := again.Record.After(tr.Record)
					if err != nil {
						t.Fatal(err)
					}
					done := half.copy()
					done.writes(t, done.plan(t, rec, &second), all, nil)
					if diff := diff(direct, done); diff != "" {
						t.Fatalf("%s after %s, after %d of %d writes, run again: %s", to, from, most, steps, diff)
					}
					half.writes(t, half.plan(t, rec, nil), all, nil)
					if diff := diff(worldOf(objects), half); diff != "" {
						t.Fatalf("%s after %s, after %d of %d writes, removed: %s", to, from, most, steps, diff)
					}
				}
				if diff := diff(direct, w); diff != "" {
					t.Fatalf("%s after %s: %s", to, from, diff)
				}
				w.writes(t, w.plan(t, again.Record, nil), all, nil)
				if diff := diff(worldOf(objects), w); diff != "" {
					t.Fatalf("%s after %s, removed: %s", to, from, diff)
				}
			}
		}
	})
}

// What others change stays when an identity is added, repeated and removed.
func TestTheChangesOfOthersStay(t *testing.T) {
	edits := map[string]func(*unstructured.Unstructured){
		"another user of dex": inFile("dex", "config.yaml", "staticPasswords:\n", "staticPasswords:\n- {email: ann@example.com, hash: x, username: ann, userID: a}\n"),
		"another log level":   inFile("dex", "config.yaml", `level: "debug"`, `level: "info"`),
		"another lifetime":    inFile("oauth2-proxy", proxyFile, `cookie_expire = "24h"`, `cookie_expire = "12h"`),
		"another path":        inFile("oauth2-proxy", proxyFile, `      "^/ml_metadata"`, `      "^/mine"`),
		"another issuer": func(o *unstructured.Unstructured) {
			if o.GetKind() == "RequestAuthentication" {
				rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "jwtRules")
				_ = unstructured.SetNestedSlice(o.Object, append(rules, map[string]any{"issuer": "https://robots.example.com"}), "spec", "jwtRules")
			}
		},
		"rotated secrets": func(o *unstructured.Unstructured) {
			for _, key := range []string{"cookie-secret", "OIDC_CLIENT_SECRET"} {
				if o.GetKind() == "Secret" && kube.Map(o.Object, "data")[key] != nil {
					_ = unstructured.SetNestedField(o.Object, "b3RoZXI=", "data", key)
				}
			}
		},
		"replicas and an annotation": func(o *unstructured.Unstructured) {
			if o.GetKind() == "Deployment" {
				_ = unstructured.SetNestedField(o.Object, int64(1), "spec", "replicas")
				_ = unstructured.SetNestedField(o.Object, "now", "spec", "template", "metadata", "annotations", doctor.RestartedAt)
				o.SetAnnotations(map[string]string{"deployment.kubernetes.io/revision": "3"})
			}
		},
	}
	eachRelease(t, func(t *testing.T, version string, objects []*unstructured.Unstructured) {
		for name, i := range identities() {
			if refused[version+" "+name] != "" {
				continue
			}
			for what, edit := range edits {
				w, want := worldOf(objects), worldOf(objects)
				tr := w.plan(t, nil, &i)
				w.writes(t, tr, all, nil)
				for ref := range w {
					edit(w[ref])
					edit(want[ref])
				}
				again := w.plan(t, tr.Record, &i)
				if changes := again.Changes(); len(changes) > 0 {
					t.Errorf("%s, %s: run again, it changes %s", name, what, cluster.Diff(changes[0].Before, changes[0].After))
				}
				w.writes(t, w.plan(t, again.Record, nil), all, nil)
				if diff := diff(want, w); diff != "" {
					t.Errorf("%s, %s: removed, it leaves %s", name, what, diff)
				}
			}
		}
	})
}

func inFile(of, key, old, now string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		if text := kube.Text(o.Object, "data", key); o.GetKind() == "ConfigMap" && strings.HasPrefix(o.GetName(), of) && strings.Contains(text, old) {
			_ = unstructured.SetNestedField(o.Object, strings.ReplaceAll(text, old, now), "data", key)
		}
	}
}

// expose moves the address: the identity follows, and its removal leaves what there was before.
func TestAnIdentityFollowsTheAddress(t *testing.T) {
	eachRelease(t, func(t *testing.T, version string, objects []*unstructured.Unstructured) {
		for name, i := range identities() {
			if refused[version+" "+name] != "" {
				continue
			}
			w := worldOf(objects)
			tr := w.plan(t, nil, &i)
			w.writes(t, tr, all, nil)
			for _, o := range w {
				record.ReplaceURL(o, theirs, "https://new.example.com")
			}
			w.consistent(t, worldOf(objects))
			moved := i
			moved.URL = "https://new.example.com"
			if changes := w.plan(t, tr.Record, &moved).Changes(); len(changes) > 0 {
				t.Errorf("%s: after the move, it changes %s", name, cluster.Diff(changes[0].Before, changes[0].After))
			}
			w.writes(t, w.plan(t, tr.Record, nil), all, nil)
			if diff := diff(worldOf(objects), w); diff != "" {
				t.Errorf("%s: moved and removed, it leaves %s", name, diff)
			}
		}
	})
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	eachRelease(t, func(t *testing.T, _ string, objects []*unstructured.Unstructured) {
		w := worldOf(objects)
		i := identities()["oidc-dex"]
		tr := w.plan(t, nil, &i)
		o, err := tr.Record.Object()
		if err != nil {
			t.Fatal(err)
		}
		namespace := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace",
			"metadata": map[string]any{"name": "kubectl-kubeflow", "labels": map[string]any{"app.kubernetes.io/managed-by": "kubectl-kubeflow"}}}}
		read, _, err := ReadRecord(t.Context(), cluster.Objects("a test", nil, namespace, o))
		if err != nil {
			t.Fatal(err)
		}
		w.writes(t, tr, all, nil)
		w.writes(t, w.plan(t, read, nil), all, nil)
		if diff := diff(worldOf(objects), w); diff != "" {
			t.Error(diff)
		}
		tr.Record.Edits[0].After.SetNamespace("kube-system")
		tr.Record.Edits[0].Before.SetNamespace("kube-system")
		if o, err = tr.Record.Object(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ReadRecord(t.Context(), cluster.Objects("a test", nil, namespace, o)); err == nil {
			t.Error("a record of another namespace is believed")
		}
	})
}

// Installing again, or another release, keeps the identity; its removal leaves what the release brings.
func TestAnInstallKeepsTheIdentity(t *testing.T) {
	mirrored := map[string][]*unstructured.Unstructured{}
	eachRelease(t, func(_ *testing.T, version string, objects []*unstructured.Unstructured) { mirrored[version] = objects })
	for _, c := range []struct{ from, to string }{{"26.03", "26.03"}, {"1.8.1", "1.8.1"}, {"1.10.2", "26.03"}, {"1.10.2", "1.10.2"}} {
		for name, i := range identities() {
			if refused[c.from+" "+name] != "" || refused[c.to+" "+name] != "" {
				continue
			}
			w := worldOf(mirrored[c.from])
			tr := w.plan(t, nil, &i)
			w.writes(t, tr, all, nil)
			rendered := mirrored[c.to][1:]
			edits, kept, err := tr.Record.Keep(t.Context(), w.view(), rendered)
			if err != nil || kept == nil {
				t.Fatalf("%s, %s to %s: %v", name, c.from, c.to, err)
			}
			installed := worldOf(mirrored[c.to])
			for _, e := range edits {
				installed[cluster.RefOf(e.After).Identity()] = e.After.DeepCopy()
			}
			if federated := i.Entra != nil && i.Entra.WorkloadIdentity; federated { // its ServiceAccount is not of the release
				account := cluster.Ref{APIVersion: "v1", Kind: "ServiceAccount", Namespace: "oauth2-proxy", Name: "default"}.Identity()
				installed[account] = w[account]
			}
			installed.consistent(t, worldOf(mirrored[c.to]))
			if changes := installed.plan(t, kept, &i).Changes(); len(changes) > 0 {
				t.Errorf("%s, %s to %s: after the install it changes %s", name, c.from, c.to, cluster.Diff(changes[0].Before, changes[0].After))
			}
			if c.from == c.to {
				if diff := diff(w, installed); diff != "" {
					t.Errorf("%s, %s again: %s", name, c.from, diff)
				}
			}
			installed.writes(t, installed.plan(t, kept, nil), all, nil)
			if diff := diff(worldOf(mirrored[c.to]), installed); diff != "" {
				t.Errorf("%s, %s to %s: removed, it leaves %s", name, c.from, c.to, diff)
			}
		}
	}
}
