package auth

import (
	"encoding/base64"
	"testing"

	"golang.org/x/crypto/bcrypt"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

func TestInstallingAgainKeepsChangedSecrets(t *testing.T) {
	const own = "$2a$04$Lp0mfFBTt5JQGQxL9V4p3OWKHDOcAoYdIsGZ2iqJFTfQ5VZcmQbXu"
	hash, err := bcrypt.GenerateFromPassword([]byte(DefaultPassword), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	defaultHash := string(hash)
	secret := func(field, value string) *unstructured.Unstructured {
		if field == "data" {
			value = base64.StdEncoding.EncodeToString([]byte(value))
		}
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", field: map[string]any{passwordKey: value, "other": "eA=="}}}
	}
	config := func(hash string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{dexFile: "hash: " + hash + "\n"}}}
	}
	for _, c := range []struct {
		about        string
		wanted, live *unstructured.Unstructured
		kept         bool
	}{
		{"a changed password", secret("data", defaultHash), secret("data", own), true},
		{"a changed password, where the manifest has plain text", secret("stringData", defaultHash), secret("data", own), true},
		{"the default", secret("data", defaultHash), secret("data", defaultHash), false},
		{"a manifest with another password", secret("data", own+"x"), secret("data", own), false},
		{"nothing there", secret("data", defaultHash), &unstructured.Unstructured{Object: map[string]any{}}, false},
		{"a changed password in dex's file", config(defaultHash), config(own), true},
		{"the default in dex's file", config(defaultHash), config(defaultHash), false},
	} {
		kept := Keep(c.wanted, c.live)
		if (kept != nil) != c.kept {
			t.Errorf("%s: kept is %v", c.about, kept != nil)
		}
		if kept == nil {
			continue
		}
		if got := secretValue(kept, passwordKey) + kube.Text(kept.Object, "data", dexFile); got != own && got != "hash: "+own+"\n" {
			t.Errorf("%s: %q", c.about, got)
		}
		if kept.GetKind() == "Secret" && kube.Text(kept.Object, "data", "other")+kube.Text(kept.Object, "stringData", "other") != "eA==" {
			t.Errorf("%s: more than the password changed", c.about)
		}
	}
}

func TestAPasswordIsCarriedFromDexsConfigurationToTheSecret(t *testing.T) {
	const own = "$2a$04$Lp0mfFBTt5JQGQxL9V4p3OWKHDOcAoYdIsGZ2iqJFTfQ5VZcmQbXu"
	secret := func(hash string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "dex-passwords", "namespace": "auth"}, "stringData": map[string]any{passwordKey: hash}}}
	}
	config := func(email, hash string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{dexFile: "staticPasswords:\n- {email: " + email + ", hash: '" + hash + "'}\n"}}}
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(DefaultPassword), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	shipped := string(hash)
	for name, c := range map[string]struct {
		wanted, live *unstructured.Unstructured
		carried      bool
	}{
		"a changed password":           {secret(shipped), config("user@example.com", own), true},
		"the default one":              {secret(shipped), config("user@example.com", shipped), false},
		"another user's":               {secret(shipped), config("someone@example.com", own), false},
		"the manifests have their own": {secret(own), config("user@example.com", own), false},
		"no configuration":             {secret(shipped), nil, false},
	} {
		kept := CarryPassword(c.wanted, c.live)
		if (kept != nil) != c.carried || kept != nil && manifestValue(kept, passwordKey) != own {
			t.Errorf("%s: %v", name, kept)
		}
	}
}
