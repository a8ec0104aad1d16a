package tls

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/record"
)

// The sign-in sends visitors away and back. As Kubeflow comes, it does so by paths alone, under whatever name they came;
// where somebody gave it a name, everything that has that name has to change it together: the redirect of oauth2-proxy or
// authservice, Dex's issuer and the redirects it allows, and the issuer that Istio expects in tokens.
const (
	proxyKey = "oauth2_proxy.cfg" // in ConfigMaps of namespace oauth2-proxy
	dexKey   = "config.yaml"      // in ConfigMap auth/dex
)

var (
	dexRef         = cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "auth", Name: "dex"}
	authserviceRef = cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "istio-system", Name: "oidc-authservice-parameters"}
)

// readSettings reads what may hold the name under which visitors come.
func (t *Target) readSettings(ctx context.Context, view cluster.View) {
	maps, _ := view.List(ctx, kube.ConfigMapKind, cluster.Scope{Namespace: "oauth2-proxy"})
	for _, m := range maps {
		if _, has, _ := unstructured.NestedString(m.Object, "data", proxyKey); has {
			t.settings = append(t.settings, m)
		}
	}
	for _, ref := range []cluster.Ref{dexRef, authserviceRef} {
		if m, err := cluster.IgnoreNotFound(view.Get(ctx, ref)); err == nil && m != nil {
			t.settings = append(t.settings, m)
		}
	}
	issuers, _ := cluster.IgnoreNoMatch(view.List(ctx, dashboard.RequestAuthenticationKind, cluster.Scope{Namespace: dashboard.RootNamespace(t.Namespace())}))
	t.settings = append(t.settings, issuers...)
	t.workloads = record.Consumers(ctx, view, t.settings)
}

// moveSignIn plans what else has to change when visitors come under another name, and says so in a sentence.
func (t Target) moveSignIn(host string) ([]cluster.Change, string) {
	var changes []cluster.Change
	now := "https://" + host
	var moved []string
	for _, m := range t.settings {
		change := cluster.Edit(m, func(o *unstructured.Unstructured) {
			r := record.Read(o)
			for _, before := range t.hosts() {
				if before != now && record.ReplaceURL(o, before, now) {
					if r.URLs == nil {
						r.URLs = map[string]string{}
					}
					if first, again := r.URLs[before]; again { // a name that an earlier run gave: what was there before that stays known
						delete(r.URLs, before)
						r.URLs[now] = first
					} else {
						r.URLs[now] = before
					}
					record.Write(o, r)
					moved = append(moved, before)
				}
			}
		})
		after := change.Before
		if cluster.Diff(change.Before, change.After) != "" {
			changes = append(changes, change)
			after = change.After
		}
		changes = append(changes, t.restarts(after)...)
	}
	if len(moved) == 0 {
		return changes, "Authentication works under any name: nothing else has to change."
	}
	return changes, "Authentication moves from " + moved[0] + " to " + now + ": its workloads restart, and users sign in again."
}

// restarts returns the restarts of those that read an object's settings and have not read them since expose changed them.
func (t Target) restarts(settings *unstructured.Unstructured) []cluster.Change {
	written := settings.GetAnnotations()[record.Annotation]
	if settings.GetKind() != "ConfigMap" || written == "" {
		return nil
	}
	var changes []cluster.Change
	for _, w := range t.workloads {
		if w.GetNamespace() != settings.GetNamespace() {
			continue
		}
		if change := record.Restart(w, written); change != nil {
			changes = append(changes, *change)
		}
	}
	return changes
}

// hostSettings finds the names that the settings give visitors.
var hostSettings = []struct{ in, key, pattern string }{
	{"oauth2-proxy", proxyKey, `(?m)^\s*redirect_url\s*=\s*"(https?://[^/"]+)`},
	{"auth", dexKey, `(?m)^issuer:\s*["']?(https?://[^/\s"']+)`},
	{"istio-system", "REDIRECT_URL", `^(https?://[^/]+)`},
}

// hosts returns the names under which the sign-in takes visitors to come, as "https://kubeflow.example.com".
// Those of the cluster's own network are none: Dex is asked there, whatever visitors call it.
func (t Target) hosts() []string {
	var names []string
	for _, m := range t.settings {
		for _, s := range hostSettings {
			text, _, _ := unstructured.NestedString(m.Object, "data", s.key)
			match := regexp.MustCompile(s.pattern).FindStringSubmatch(text)
			if m.GetNamespace() == s.in && match != nil && !strings.Contains(match[1], ".svc") && strings.Contains(match[1], ".") && !slices.Contains(names, match[1]) {
				names = append(names, match[1])
			}
		}
	}
	return names
}
