package expose

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
)

// The sign-in sends visitors away and back. As Kubeflow comes, it does so by paths alone, under whatever name they came;
// where somebody gave it a name, everything that has that name has to change it together: the redirect of oauth2-proxy or
// authservice, Dex's issuer and the redirects it allows, and the issuer that Istio expects in tokens.
const (
	proxyKey = "oauth2_proxy.cfg" // in ConfigMaps of namespace oauth2-proxy
	dexKey   = "config.yaml"      // in ConfigMap auth/dex
	skipKey  = "SKIP_AUTH_URLS"   // in ConfigMap istio-system/oidc-authservice-parameters
)

var (
	dexRef         = cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "auth", Name: "dex"}
	authserviceRef = cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "istio-system", Name: "oidc-authservice-parameters"}
)

// readers are the workloads that read a namespace's settings when they start.
var readers = map[string][]cluster.Ref{
	"oauth2-proxy": {{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "oauth2-proxy", Name: "oauth2-proxy"}},
	"auth":         {{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "auth", Name: "dex"}},
	"istio-system": {
		{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: "istio-system", Name: "authservice"},
		{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: "istio-system", Name: "oidc-authservice"},
	},
}

// lookSettings reads what may hold the name under which visitors come.
func (t *Target) lookSettings(ctx context.Context, view cluster.View) {
	maps, _ := view.List(ctx, kube.ConfigMapKind, cluster.Scope{Namespace: "oauth2-proxy"})
	for _, m := range maps {
		if _, has, _ := unstructured.NestedString(m.Object, "data", proxyKey); has {
			t.tls.settings = append(t.tls.settings, m)
		}
	}
	for _, ref := range []cluster.Ref{dexRef, authserviceRef} {
		if m, err := found(view.Get(ctx, ref)); err == nil && m != nil {
			t.tls.settings = append(t.tls.settings, m)
		}
	}
	issuers, _ := optional(view.List(ctx, dashboard.RequestAuthenticationKind, cluster.Scope{Namespace: dashboard.RootNamespace(t.Namespace())}))
	t.tls.settings = append(t.tls.settings, issuers...)
	t.tls.workloads = lookReaders(ctx, view, t.tls.settings)
}

// lookReaders returns the workloads that read these settings.
func lookReaders(ctx context.Context, view cluster.View, settings []*unstructured.Unstructured) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, m := range settings {
		if m.GetKind() != "ConfigMap" {
			continue
		}
		for _, ref := range readers[m.GetNamespace()] {
			if w, err := found(view.Get(ctx, ref)); err == nil && w != nil && !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	return all
}

// follow plans what else has to change when visitors come under another name, and says so in a sentence.
func (t Target) follow(host string) ([]cluster.Change, string) {
	var changes []cluster.Change
	now := "https://" + host
	var moved []string
	for _, m := range t.tls.settings {
		change := cluster.Edit(m, func(o *unstructured.Unstructured) {
			r := readRecord(o)
			for _, before := range t.names() {
				if before != now && rewrite(o, before, now) {
					if r.URLs == nil {
						r.URLs = map[string]string{}
					}
					if first, again := r.URLs[before]; again { // a name that an earlier run gave: what was there before that stays known
						delete(r.URLs, before)
						r.URLs[now] = first
					} else {
						r.URLs[now] = before
					}
					writeRecord(o, r)
					moved = append(moved, before)
				}
			}
		})
		after := change.Before
		if cluster.Diff(change.Before, change.After) != "" {
			changes = append(changes, change)
			after = change.After
		}
		changes = append(changes, t.reread(after)...)
	}
	if len(moved) == 0 {
		return changes, "The sign-in follows the name by itself: nothing else has to change."
	}
	return changes, "The sign-in moves from " + moved[0] + " to " + now + ": its programs start anew, and visitors sign in again."
}

// reread returns the restarts of those that read an object's settings and have not read them since expose changed them.
func (t Target) reread(settings *unstructured.Unstructured) []cluster.Change {
	written := settings.GetAnnotations()[recordAnnotation]
	if settings.GetKind() != "ConfigMap" || written == "" {
		return nil
	}
	var changes []cluster.Change
	for _, w := range t.tls.workloads {
		if w.GetNamespace() != settings.GetNamespace() {
			continue
		}
		if change := restarted(w, written); change != nil {
			changes = append(changes, *change)
		}
	}
	return changes
}

// said finds the names that the settings give visitors.
var said = []struct{ in, key, pattern string }{
	{"oauth2-proxy", proxyKey, `(?m)^\s*redirect_url\s*=\s*"(https?://[^/"]+)`},
	{"auth", dexKey, `(?m)^issuer:\s*["']?(https?://[^/\s"']+)`},
	{"istio-system", "REDIRECT_URL", `^(https?://[^/]+)`},
}

// names returns the names under which the sign-in takes visitors to come, as "https://kubeflow.example.com".
// Those of the cluster's own network are none: Dex is asked there, whatever visitors call it.
func (t Target) names() []string {
	var names []string
	for _, m := range t.tls.settings {
		for _, s := range said {
			text, _, _ := unstructured.NestedString(m.Object, "data", s.key)
			match := regexp.MustCompile(s.pattern).FindStringSubmatch(text)
			if m.GetNamespace() == s.in && match != nil && !strings.Contains(match[1], ".svc") && strings.Contains(match[1], ".") && !slices.Contains(names, match[1]) {
				names = append(names, match[1])
			}
		}
	}
	return names
}

// rewrite puts one URL's beginning in another's place, in all that an object says, and tells whether it was there.
func rewrite(o *unstructured.Unstructured, before, now string) bool {
	boundary := regexp.MustCompile(regexp.QuoteMeta(before) + `($|[/"'\s,\]])`)
	changed := false
	var walk func(any) any
	walk = func(value any) any {
		switch v := value.(type) {
		case string:
			after := boundary.ReplaceAllString(v, strings.ReplaceAll(now, "$", "$$")+"$1")
			changed = changed || after != v
			return after
		case map[string]any:
			for key := range v {
				v[key] = walk(v[key])
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		}
		return value
	}
	for _, field := range []string{"data", "spec"} {
		if value, has := o.Object[field]; has {
			o.Object[field] = walk(value)
		}
	}
	return changed
}
