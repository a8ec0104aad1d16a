package auth

import (
	"encoding/base64"
	"testing"

	"golang.org/x/crypto/bcrypt"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

func TestInstallingAgainKeepsSecretsOfOnesOwn(t *testing.T) {
	const own = "$2a$04$Lp0mfFBTt5JQGQxL9V4p3OWKHDOcAoYdIsGZ2iqJFTfQ5VZcmQbXu"
	hash, err := bcrypt.GenerateFromPassword([]byte(ShippedPassword), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	everybodys := string(hash)
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
		{"one's own password", secret("data", everybodys), secret("data", own), true},
		{"one's own password, where the manifests bring plain text", secret("stringData", everybodys), secret("data", own), true},
		{"everybody's", secret("data", everybodys), secret("data", everybodys), false},
		{"manifests with a password of their own", secret("data", own+"x"), secret("data", own), false},
		{"nothing there", secret("data", everybodys), &unstructured.Unstructured{Object: map[string]any{}}, false},
		{"one's own password in dex's file", config(everybodys), config(own), true},
		{"everybody's in dex's file", config(everybodys), config(everybodys), false},
	} {
		kept := Keep(c.wanted, c.live)
		if (kept != nil) != c.kept {
			t.Errorf("%s: kept is %v", c.about, kept != nil)
		}
		if kept == nil {
			continue
		}
		if got := held(kept, passwordKey) + kube.Text(kept.Object, "data", dexFile); got != own && got != "hash: "+own+"\n" {
			t.Errorf("%s: %q", c.about, got)
		}
		if kept.GetKind() == "Secret" && kube.Text(kept.Object, "data", "other")+kube.Text(kept.Object, "stringData", "other") != "eA==" {
			t.Errorf("%s: more than the password changed", c.about)
		}
	}
}
