package signin

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

func TestIdentitiesAreChecked(t *testing.T) {
	oidc := Identity{Name: "okta", Title: "Okta", Issuer: "https://example.okta.com", ClientID: "c1", Secret: "s", Via: ViaDex, URL: "https://kf.example.com", Claim: "email"}
	entra := NewEntra(Entra{Tenant: "11111111-2222-3333-4444-555555555555", Cloud: "AzureCloud"}, "c1", "s", ViaProxy, "https://kf.example.com")
	for _, i := range []Identity{oidc, entra} {
		if err := i.Check(); err != nil {
			t.Errorf("%s: %v", i.Name, err)
		}
	}
	for says, change := range map[string]func(i *Identity){
		"--via authservice is not known":                    func(i *Identity) { i.Via = "authservice" },
		"cannot be the name of a provider":                  func(i *Identity) { i.Name = "a b" },
		"\"local\" cannot be the name of a provider":        func(i *Identity) { i.Name = "local" }, // dex's own users
		"is not a client ID":                                func(i *Identity) { i.ClientID = "a\"b" },
		"the provider needs a client secret":                func(i *Identity) { i.Secret = "" },
		"the client secret is not one line":                 func(i *Identity) { i.Secret = "a\nb" },
		"cannot be the name of a claim":                     func(i *Identity) { i.Claim = "a\"" },
		"http://example.okta.com\" is not the address":      func(i *Identity) { i.Issuer = "http://example.okta.com" },
		"https://example.okta.com?a=b\" is not the address": func(i *Identity) { i.Issuer = "https://example.okta.com?a=b" },
		"kf.example.com\" is not the address of a":          func(i *Identity) { i.URL = "kf.example.com" },
		"https://kf.example.com/x\" is not the address":     func(i *Identity) { i.URL = "https://kf.example.com/x" },
		"speaks plain HTTP":                                 func(i *Identity) { i.URL = "http://20.1.2.3/" },
		"is not the ID of a tenant":                         func(i *Identity) { i.Entra = &Entra{Tenant: "common"} },
		"the dex of this release cannot sign in with": func(i *Identity) {
			i.Claim, i.Entra = "preferred_username", &Entra{Tenant: entra.Entra.Tenant, Cloud: "AzureCloud", WorkloadIdentity: true}
		},
		"there is no cloud \"Mars\"":      func(i *Identity) { i.Entra = &Entra{Tenant: entra.Entra.Tenant, Cloud: "Mars"} },
		"dex takes the principal name of": func(i *Identity) { i.Entra = &Entra{Tenant: entra.Entra.Tenant, Cloud: "AzureCloud"} },
		"a workload identity needs no client secret": func(i *Identity) {
			i.Via, i.Entra = ViaProxy, &Entra{Tenant: entra.Entra.Tenant, Cloud: "AzureCloud", WorkloadIdentity: true}
		},
	} {
		i := oidc
		change(&i)
		var p *problem.Error
		if err := i.Check(); !errors.As(err, &p) || !strings.Contains(p.What, says) || p.Next == "" {
			t.Errorf("%v, want %q", err, says)
		}
		if err := i.Check(); err != nil && strings.Contains(err.Error(), "a\nb") {
			t.Error("the error shows the secret")
		}
	}
	for _, address := range []string{"http://localhost:8080", "http://127.0.0.1:8080/", "https://[2001:db8::1]"} {
		i := oidc
		if i.URL = address; i.Check() != nil {
			t.Errorf("%s: %v", address, i.Check())
		}
	}
}

func TestAnEditIsUndoneBesideOthers(t *testing.T) {
	object := func(text string, spec map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a", "namespace": "auth"},
			"data": map[string]any{"file": text}, "spec": spec}}
	}
	list := func(items ...string) map[string]any {
		var all []any
		for _, item := range items {
			name, value, _ := strings.Cut(item, "=")
			all = append(all, map[string]any{"name": name, "value": value})
		}
		return map[string]any{"env": all}
	}
	none := map[string]any{}
	for name, c := range map[string]struct{ before, after, live, want *unstructured.Unstructured }{
		"nothing else":               {object("a\nb\nc", none), object("a\nB\nc", none), object("a\nB\nc", none), object("a\nb\nc", none)},
		"another line":               {object("a\nb\nc\nd", none), object("A\nb\nc\nd", none), object("A\nb\nc\nD\ne", none), object("a\nb\nc\nD\ne", none)},
		"it is undone":               {object("a\nb", none), object("a\nB", none), object("a\nb", none), object("a\nb", none)},
		"the same line":              {object("a\nb", none), object("a\nB", none), object("a\nx", none), nil},
		"a line beside a line":       {object("a\nb\nc", none), object("a\nB\nc", none), object("a\nB\nx", none), object("a\nb\nx", none)},
		"lines at the same place":    {object("a\nb", none), object("a\nx\nb", none), object("a\nx\ny\nb", none), nil},
		"one line":                   {object("a", none), object("b", none), object("c", none), nil},
		"an item that was added":     {object("", list("x=1")), object("", list("x=1", "y=2")), object("", list("x=1", "z=3", "y=2")), object("", list("x=1", "z=3"))},
		"an item that was changed":   {object("", list("x=1", "y=1")), object("", list("x=2", "y=1")), object("", list("y=5", "x=2")), object("", list("y=5", "x=1"))},
		"an item that others change": {object("", list("x=1")), object("", list("x=2")), object("", list("x=3")), nil},
		"an item that others remove": {object("", list("x=1")), object("", list("x=1", "y=2")), object("", list("x=1")), object("", list("x=1"))},
		"the first item of all":      {object("", none), object("", list("x=1")), object("", list("x=1")), object("", none)},
	} {
		kept := c.live.DeepCopy()
		got, err := Restore(c.before, c.after, c.live)
		if (err != nil) != (c.want == nil) || c.want != nil && !cmp.Equal(got, c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if !cmp.Equal(kept, c.live) {
			t.Errorf("%s: the live object was written to", name)
		}
	}
}
