package checks

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

const entra = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"

// A signInCluster is a release's objects as a cluster has them, to be configured for one sign-in.
type signInCluster []*unstructured.Unstructured

func (s signInCluster) find(kind, namespace, name string) *unstructured.Unstructured {
	i := slices.IndexFunc(s, func(o *unstructured.Unstructured) bool {
		return o.GetKind() == kind && o.GetNamespace() == namespace && strings.HasPrefix(o.GetName(), name) && !strings.Contains(o.GetName(), "theme") && (name != "oauth2-proxy" || !strings.Contains(o.GetName(), "parameters"))
	})
	return s[i]
}

// replace replaces text in a key of a ConfigMap.
func (s signInCluster) replace(namespace, name, key string, pairs ...string) {
	o := s.find("ConfigMap", namespace, name)
	before := kube.Text(o.Object, "data", key)
	after := strings.NewReplacer(pairs...).Replace(before)
	if after == before {
		panic("nothing to replace in " + name + ": " + pairs[0])
	}
	_ = unstructured.SetNestedField(o.Object, after, "data", key)
}

func (s signInCluster) set(o *unstructured.Unstructured, value any, path ...string) {
	_ = unstructured.SetNestedField(o.Object, value, path...)
}

func (s signInCluster) secret(namespace, name, key, value string) {
	s.set(s.find("Secret", namespace, name), base64.StdEncoding.EncodeToString([]byte(value)), "data", key)
}

func (s signInCluster) proxyFile(pairs ...string) {
	s.replace("oauth2-proxy", "oauth2-proxy", "oauth2_proxy.cfg", pairs...)
}

func (s signInCluster) rule(field string, value any) {
	rules, _, _ := unstructured.NestedSlice(s.find("RequestAuthentication", "istio-system", "dex-jwt").Object, "spec", "jwtRules")
	rules[0].(map[string]any)[field] = value
	s.set(s.find("RequestAuthentication", "istio-system", "dex-jwt"), rules, "spec", "jwtRules")
}

// direct lets oauth2-proxy ask Entra ID itself: dex stays installed.
func (s signInCluster) direct(provider string) {
	s.proxyFile(`provider = "oidc"`, `provider = "`+provider+`"`, `"http://dex.auth.svc.cluster.local:5556/dex"`, `"`+entra+`"`, "skip_oidc_discovery = true", "skip_oidc_discovery = false",
		`redirect_url = "/oauth2/callback"`, `redirect_url = "https://kubeflow.example.com/oauth2/callback"`, "relative_redirect_url = true", "relative_redirect_url = false")
	s.rule("issuer", entra)
	s.secret("oauth2-proxy", "oauth2-proxy", "client-id", "66666666-7777-8888-9999-000000000000")
	s.secret("oauth2-proxy", "oauth2-proxy", "client-secret", "of-entra")
}

const connector = `connectors:
- type: TYPE
  id: entra
  name: Entra
  config: {issuer: "` + entra + `", clientID: x, clientSecret: y, redirectURI: "https://kubeflow.example.com/dex/callback"}
staticClients:`

// signIns are the healthy ways of AZURE's users to sign in, and for each what may be broken, with the object that is to be named.
var signIns = []struct {
	name, release string
	foreign       bool
	setUp         func(signInCluster)
	broken        map[string]func(signInCluster) // by the object: "ConfigMap/auth/dex"
}{
	{"as released", "26.03", false, func(signInCluster) {}, map[string]func(signInCluster){
		"Secret/oauth2-proxy/oauth2-proxy 1": func(s signInCluster) { s.secret("oauth2-proxy", "oauth2-proxy", "client-secret", "other") },
		"Secret/oauth2-proxy/oauth2-proxy 2": func(s signInCluster) { s.secret("oauth2-proxy", "oauth2-proxy", "client-id", "other") },
		"Secret/oauth2-proxy/oauth2-proxy 3": func(s signInCluster) { s.secret("oauth2-proxy", "oauth2-proxy", "cookie-secret", "too-short") },
		"Secret/oauth2-proxy/oauth2-proxy 4": func(s signInCluster) { s.secret("auth", "dex-oidc-client", "OIDC_CLIENT_SECRET", "other") },
		"ConfigMap/auth/dex 1": func(s signInCluster) {
			s.replace("auth", "dex", "config.yaml", "/oauth2/callback", "/authservice/oidc/callback")
		},
		"ConfigMap/auth/dex 2": func(s signInCluster) {
			s.replace("auth", "dex", "config.yaml", "issuer: http://dex", "issuer: http://dexter")
		},
		"ConfigMap/oauth2-proxy/oauth2-proxy 1": func(s signInCluster) {
			s.proxyFile(`redirect_url = "/oauth2/callback"`, `redirect_url = "/login/oidc"`)
		},
		"ConfigMap/oauth2-proxy/oauth2-proxy 2": func(s signInCluster) { s.proxyFile("relative_redirect_url = true", "relative_redirect_url = false") },
		"ConfigMap/oauth2-proxy/oauth2-proxy 3": func(s signInCluster) {
			s.proxyFile(`oidc_issuer_url = "http://dex.auth`, `oidc_issuer_url = "http://dexter.auth`)
		},
		"RequestAuthentication/istio-system/dex-jwt 1": func(s signInCluster) { s.rule("issuer", "http://other.example.com/dex") },
		"RequestAuthentication/istio-system/dex-jwt 2": func(s signInCluster) { s.rule("audiences", []any{"another"}) },
		"RequestAuthentication/istio-system/dex-jwt 3": func(s signInCluster) { s.rule("jwksUri", "https://login.microsoftonline.com/x/keys") },
		"Deployment/auth/dex 1":                        func(s signInCluster) { s.set(s.find("Deployment", "auth", "dex"), int64(0), "spec", "replicas") },
		"Deployment/oauth2-proxy/oauth2-proxy 1": func(s signInCluster) {
			s.set(s.find("Deployment", "oauth2-proxy", "oauth2-proxy"), int64(0), "spec", "replicas")
		},
	}},
	{"dex with connector microsoft", "26.03", false, func(s signInCluster) {
		s.replace("auth", "dex", "config.yaml", "staticClients:", strings.Replace(connector, "TYPE", "microsoft", 1))
	}, map[string]func(signInCluster){
		"ConfigMap/auth/dex 1": func(s signInCluster) { s.replace("auth", "dex", "config.yaml", "/dex/callback", "/oauth2/callback ") },
	}},
	{"dex with connector oidc under a public name", "26.03", false, func(s signInCluster) {
		s.replace("auth", "dex", "config.yaml", "staticClients:", strings.Replace(connector, "TYPE", "oidc", 1), "issuer: http://dex.auth.svc.cluster.local:5556/dex", "issuer: https://kubeflow.example.com/dex",
			`"/oauth2/callback"`, `"https://kubeflow.example.com/oauth2/callback"`)
		s.proxyFile(`oidc_issuer_url = "http://dex.auth.svc.cluster.local:5556/dex"`, `oidc_issuer_url = "https://kubeflow.example.com/dex"`, `redirect_url = "/oauth2/callback"`, `redirect_url = "https://kubeflow.example.com/oauth2/callback"`,
			"relative_redirect_url = true", "relative_redirect_url = false")
		s.rule("issuer", "https://kubeflow.example.com/dex")
		s.rule("jwksUri", "http://dex.auth.svc.cluster.local:5556/dex/keys")
	}, map[string]func(signInCluster){
		"RequestAuthentication/istio-system/dex-jwt 1": func(s signInCluster) { s.rule("issuer", "http://dex.auth.svc.cluster.local:5556/dex") },
		"ConfigMap/auth/dex 1": func(s signInCluster) {
			s.replace("auth", "dex", "config.yaml", "issuer: https://kubeflow", "issuer: https://old")
		},
		"ConfigMap/auth/dex 2": func(s signInCluster) {
			s.replace("auth", "dex", "config.yaml", `"https://kubeflow.example.com/oauth2/callback"`, `"/oauth2/callback"`)
		},
	}},
	{"oauth2-proxy with entra-id", "26.03", true, func(s signInCluster) { s.direct("entra-id") }, map[string]func(signInCluster){
		"RequestAuthentication/istio-system/dex-jwt 1": func(s signInCluster) { s.rule("issuer", "http://dex.auth.svc.cluster.local:5556/dex") },
		"RequestAuthentication/istio-system/dex-jwt 2": func(s signInCluster) { s.rule("audiences", []any{"another"}) },
		"RequestAuthentication/istio-system/dex-jwt 3": func(s signInCluster) { s.rule("jwksUri", "http://dex.auth.svc.cluster.local:5556/dex/keys") },
		"ConfigMap/oauth2-proxy/oauth2-proxy 1": func(s signInCluster) {
			s.proxyFile("relative_redirect_url = false", "relative_redirect_url = true", "https://kubeflow.example.com/oauth2", "/oauth2")
		},
		"ConfigMap/oauth2-proxy/oauth2-proxy 2": func(s signInCluster) { s.proxyFile("skip_oidc_discovery = false", "skip_oidc_discovery = true") },
		"Secret/oauth2-proxy/oauth2-proxy 1": func(s signInCluster) {
			s.secret("oauth2-proxy", "oauth2-proxy", "cookie-secret", "thirty-three characters, a newline\n")
		},
		"Secret/oauth2-proxy/oauth2-proxy 2": func(s signInCluster) { s.secret("oauth2-proxy", "oauth2-proxy", "client-secret", "") },
	}},
	{"oauth2-proxy with oidc, dex scaled down", "26.03", true, func(s signInCluster) {
		s.direct("oidc")
		s.set(s.find("Deployment", "auth", "dex"), int64(0), "spec", "replicas")
	}, nil},
	{"oauth2-proxy with a workload identity", "26.03", true, func(s signInCluster) {
		s.direct("entra-id")
		s.proxyFile("cookie_refresh = 0", "cookie_refresh = 0\nentra_id_federated_token_auth = true")
		s.secret("oauth2-proxy", "oauth2-proxy", "client-secret", "")
		s.set(s.find("Deployment", "oauth2-proxy", "oauth2-proxy"), "true", "spec", "template", "metadata", "labels", "azure.workload.identity/use")
		s.set(s.find("Deployment", "oauth2-proxy", "oauth2-proxy"), "oauth2-proxy", "spec", "template", "spec", "serviceAccountName")
		s.find("ServiceAccount", "oauth2-proxy", "oauth2-proxy").SetAnnotations(map[string]string{"azure.workload.identity/client-id": "x"})
	}, map[string]func(signInCluster){
		"Deployment/oauth2-proxy/oauth2-proxy 1": func(s signInCluster) {
			s.set(s.find("Deployment", "oauth2-proxy", "oauth2-proxy"), "false", "spec", "template", "metadata", "labels", "azure.workload.identity/use")
		},
		"ServiceAccount/oauth2-proxy/oauth2-proxy 1": func(s signInCluster) { s.find("ServiceAccount", "oauth2-proxy", "oauth2-proxy").SetAnnotations(nil) },
	}},
	{"authservice with dex", "1.8.1", false, func(signInCluster) {}, map[string]func(signInCluster){
		"Secret/istio-system/oidc-authservice-client 1": func(s signInCluster) { s.secret("istio-system", "oidc-authservice-client", "CLIENT_SECRET", "other") },
		"ConfigMap/auth/dex 1": func(s signInCluster) {
			s.replace("auth", "dex", "config.yaml", "/authservice/oidc/callback", "/oauth2/callback")
		},
		"Deployment/auth/dex 1": func(s signInCluster) { s.set(s.find("Deployment", "auth", "dex"), int64(0), "spec", "replicas") },
	}},
	{"authservice with Azure", "1.8.1", true, func(s signInCluster) {
		o := s.find("ConfigMap", "istio-system", "oidc-authservice-parameters")
		for key, value := range map[string]any{"OIDC_PROVIDER": entra, "OIDC_SCOPES": "profile email", "REDIRECT_URL": "https://kubeflow.example.com/authservice/oidc/callback"} {
			s.set(o, value, "data", key)
		}
		unstructured.RemoveNestedField(o.Object, "data", "OIDC_AUTH_URL")
		s.secret("istio-system", "oidc-authservice-client", "CLIENT_ID", "of-entra")
		s.secret("istio-system", "oidc-authservice-client", "CLIENT_SECRET", "of-entra-too")
	}, map[string]func(signInCluster){
		"ConfigMap/istio-system/oidc-authservice-parameters 1": func(s signInCluster) {
			s.set(s.find("ConfigMap", "istio-system", "oidc-authservice-parameters"), "profile email groups", "data", "OIDC_SCOPES")
		},
		"ConfigMap/istio-system/oidc-authservice-parameters 2": func(s signInCluster) {
			s.set(s.find("ConfigMap", "istio-system", "oidc-authservice-parameters"), "/dex/auth", "data", "OIDC_AUTH_URL")
		},
	}},
}

// Healthy ways to sign in are silent and nothing is changed; with one thing broken, the right object is named; and no fix ever changes
// what belongs to another provider than the cluster's dex.
func TestASignInIsJudgedByWhatItPointsAt(t *testing.T) {
	mirror := kubetest.Mirror(t)
	rendered := map[string]signInCluster{}
	fresh := func(name string) signInCluster {
		if rendered[name] == nil {
			r, err := release.Render(t.Context(), release.Input{Release: name}, release.RenderOptions{Mirror: mirror, SkipVerify: true, CacheDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			rendered[name] = slices.DeleteFunc(r.Objects(), func(o *unstructured.Unstructured) bool {
				return !slices.Contains([]string{"auth", "oauth2-proxy", "istio-system"}, o.GetNamespace())
			})
		}
		var all signInCluster
		for _, o := range rendered[name] {
			o = o.DeepCopy()
			o.SetUID("on-a-cluster")
			all = append(all, o)
		}
		return all
	}
	var checks []*doctor.Check
	for _, c := range All() {
		if c.Area() == "auth" {
			checks = append(checks, c)
		}
	}
	look := func(s signInCluster) (found []doctor.Finding) {
		o := doctor.Options{Settings: doctor.Settings{Named: true, NewSecret: func() string { return "0123456789abcdef0123456789abcdef" }, PasswordHash: "$2a$04$Lp0mfFBTt5JQGQxL9V4p3OWKHDOcAoYdIsGZ2iqJFTfQ5VZcmQbXu"}}
		r := doctor.Diagnose(context.Background(), cluster.Objects("test", nil, s...), checks, o)
		for _, c := range r.Checks {
			found = append(found, c.Findings...)
		}
		return found
	}
	for _, kind := range signIns {
		build := func() signInCluster {
			s := fresh(kind.release)
			if kind.release == "1.8.1" {
				s.secret("istio-system", "oidc-authservice-client", "CLIENT_SECRET", "own")
			} else {
				s.secret("oauth2-proxy", "oauth2-proxy", "client-secret", "own")
				s.secret("oauth2-proxy", "oauth2-proxy", "cookie-secret", "an-own-key-of-thirty-two-bytes-x")
			}
			s.secret("auth", "dex-oidc-client", "OIDC_CLIENT_SECRET", "own")
			kind.setUp(s)
			return s
		}
		check := func(name string, s signInCluster, want string) {
			named := want == ""
			for _, f := range look(s) {
				about := f.About.Ref.String()
				named = named || want != "" && f.Severity == doctor.Error && strings.HasPrefix(about, want)
				if want == "" && f.Severity != doctor.Info || want == "" && kind.foreign {
					t.Errorf("%s: %s is healthy: %s %s: %s", kind.release, name, f.Severity, about, f.Message)
				}
				if strings.Contains(f.Message+f.Cause+f.Advice, "of-entra") {
					t.Errorf("%s: a secret is shown: %s", name, f.Message)
				}
				if f.Fix == nil {
					continue
				}
				for _, change := range f.Fix.Changes {
					if kind.foreign {
						t.Errorf("%s: a fix changes %s, whose provider is not the cluster's dex", name, change.Ref())
					}
				}
			}
			if !named {
				t.Errorf("%s: %s: %s is not named: %v", kind.release, name, want, look(s))
			}
		}
		check(kind.name, build(), "")
		for want, breakIt := range kind.broken {
			s := build()
			breakIt(s)
			object, _, _ := strings.Cut(want, " ")
			check(kind.name+", broken "+want, s, object)
		}
	}
}
