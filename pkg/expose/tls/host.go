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

// Authentication redirects browsers. Kubeflow's defaults use only paths, so that any host name works; after a host name was
// configured, all its copies have to change together: the redirect of oauth2-proxy or authservice, the issuer of dex and the
// redirects it allows, and the issuer that Istio expects in tokens.
const (
	proxyKey = "oauth2_proxy.cfg" // in ConfigMaps of namespace oauth2-proxy
	dexKey   = "config.yaml"      // in ConfigMap auth/dex
)

var (
	dexRef         = cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "auth", Name: "dex"}
	authserviceRef = cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "istio-system", Name: "oidc-authservice-parameters"}
)

// readSettings reads the objects that may contain the host name of the dashboard.
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

// moveSignIn plans the other changes for a new host name, and describes them in a sentence.
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
					if first, again := r.URLs[before]; again { // set by an earlier run: keep the original value
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

// mostRecord is how long a record may be that is copied to the pods that read the settings.
const mostRecord = 4096

// restarts returns the restarts of the workloads that have not read the settings since expose changed them.
func (t Target) restarts(settings *unstructured.Unstructured) []cluster.Change {
	written := settings.GetAnnotations()[record.Annotation]
	if settings.GetKind() != "ConfigMap" || written == "" || len(written) > mostRecord {
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

// hostSettings match the host names in the settings.
var hostSettings = []struct{ in, key, pattern string }{
	{"oauth2-proxy", proxyKey, `(?m)^\s*redirect_url\s*=\s*"(https?://[^/"]+)`},
	{"auth", dexKey, `(?m)^issuer:\s*["']?(https?://[^/\s"']+)`},
	{"istio-system", "REDIRECT_URL", `^(https?://[^/]+)`},
}

// hosts returns the configured host names, as "https://kubeflow.example.com". Names inside the cluster are left out: workloads
// reach dex by them, whatever the public name is.
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
