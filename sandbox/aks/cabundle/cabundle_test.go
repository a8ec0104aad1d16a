package cabundle

import (
	"encoding/base64"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

func TestBundlesAreFilledWhereTheServiceIsReady(t *testing.T) {
	up := types.NamespacedName{Namespace: "ns", Name: "up"}
	ready := func(s types.NamespacedName) bool { return s == up }
	for _, c := range []struct {
		name, kind, object string
		filled             int
	}{
		{"a webhook", "mutating", `{webhooks: [{clientConfig: {service: {name: up, namespace: ns}}}]}`, 1},
		{"an old bundle", "validating", `{webhooks: [{clientConfig: {caBundle: Cg==, service: {name: up, namespace: ns}}}]}`, 1},
		{"a Service that is not ready", "mutating", `{webhooks: [{clientConfig: {service: {name: down, namespace: ns}}}]}`, 0},
		{"a webhook with a URL", "mutating", `{webhooks: [{clientConfig: {url: "https://a"}}]}`, 0},
		{"a conversion webhook", "crd", `{spec: {conversion: {webhook: {clientConfig: {service: {name: up, namespace: ns}}}}}}`, 1},
		{"a CRD without one", "crd", `{spec: {conversion: {strategy: None}}}`, 0},
		{"an aggregated API", "apiservice", `{spec: {service: {name: up, namespace: ns}}}`, 1},
		{"one that asks for no check", "apiservice", `{spec: {insecureSkipTLSVerify: true, service: {name: up, namespace: ns}}}`, 0},
		{"a built-in API", "apiservice", `{spec: {group: apps}}`, 0},
	} {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(c.object), &object); err != nil {
			t.Fatal(err)
		}
		places := clients(c.kind, object)
		if got := fill(places, []byte("pem"), ready); got != c.filled {
			t.Errorf("%s: filled %d, want %d", c.name, got, c.filled)
		}
		if c.filled == 1 && places[0].config["caBundle"] != base64.StdEncoding.EncodeToString([]byte("pem")) {
			t.Errorf("%s: %v", c.name, object)
		}
		if again := fill(clients(c.kind, object), []byte("pem"), ready); again != 0 {
			t.Errorf("%s: filled again", c.name)
		}
	}
}
