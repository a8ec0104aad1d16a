//go:build unix

package kubeflow_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// usersHTTPS is a certificate that a person requested for the gateway.
const usersHTTPS = `
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: own, namespace: istio-system}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: own-gateway, namespace: istio-system}
spec: {secretName: own-gateway-tls, dnsNames: [kf.example.com], issuerRef: {name: own, kind: Issuer}}
`

// signInSettings are what a person set on the objects of Kubeflow itself: a password, and HTTPS on its gateway.
type signInSettings struct {
	hash    string
	servers []map[string]any
	objects map[string]*unstructured.Unstructured
}

var kubeflowGateway = cluster.Ref{APIVersion: "networking.istio.io/v1", Kind: "Gateway", Namespace: "kubeflow", Name: "kubeflow-gateway"}

// configureSignIn changes the password with doctor, and configures HTTPS by hand.
func configureSignIn(t *testing.T, client testCluster) signInSettings {
	t.Helper()
	hash, err := signin.HashPassword("not the default one")
	if err != nil {
		t.Fatal(err)
	}
	client.Forget()
	password, err := checks.Find("auth/password")
	if err != nil {
		t.Fatal(err)
	}
	o := kubeflow.Options{Checks: password, Options: fixes.Options{Allow: []doctor.Impact{doctor.RestartsPods}, Wait: 2 * time.Minute}}
	o.Options.Options.PasswordHash = hash
	if report, err := kubeflow.Fix(t.Context(), client.Client, o); err != nil || len(report.Fixes) != 1 || report.Fixes[0].Outcome != doctor.Fixed {
		t.Fatalf("the password was not changed: %v %+v", err, report)
	}
	s := signInSettings{hash: hash, objects: map[string]*unstructured.Unstructured{}}
	for _, o := range kubetest.Objects(t, []byte(usersHTTPS)) {
		created, err := client.Do(t.Context(), cluster.Change{Verb: cluster.Create, After: o}, cluster.Options{Manager: "user"})
		if err != nil {
			t.Fatal(err)
		}
		s.objects[cluster.RefOf(o).String()] = created
	}
	live := s.gateway(t, client)
	change := cluster.Edit(live, func(o *unstructured.Unstructured) {
		servers := kube.Items(o.Object, "spec", "servers")
		servers[0]["tls"] = map[string]any{"httpsRedirect": true}
		all := []any{servers[0], map[string]any{"port": map[string]any{"name": "https", "number": int64(443), "protocol": "HTTPS"}, "hosts": []any{"kf.example.com"},
			"tls": map[string]any{"mode": "SIMPLE", "credentialName": "own-gateway-tls"}}}
		_ = unstructured.SetNestedSlice(o.Object, all, "spec", "servers")
	})
	if _, err := client.Do(t.Context(), change, cluster.Options{Manager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
	s.servers = dashboard.Servers(s.gateway(t, client))
	return s
}

func (s signInSettings) gateway(t *testing.T, client testCluster) *unstructured.Unstructured {
	t.Helper()
	client.Forget()
	live, err := client.View().Get(t.Context(), kubeflowGateway)
	if err != nil {
		t.Fatal(err)
	}
	return live
}

// same checks that dex has the password, that the gateway serves HTTPS as it did, and that the certificate is the one that was requested.
func (s signInSettings) same(t *testing.T, client testCluster) {
	t.Helper()
	if diff := cmp.Diff(s.servers, dashboard.Servers(s.gateway(t, client))); diff != "" {
		t.Errorf("HTTPS on the gateway differs: %s", diff)
	}
	sameOwned(t, client, s.objects)
	found := 0
	for _, kind := range []string{"ConfigMap", "Secret"} {
		list, err := client.View().List(t.Context(), cluster.Ref{APIVersion: "v1", Kind: kind}.GroupKind(), cluster.Scope{Namespace: "auth"})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list {
			for _, value := range kube.Map(o.Object, "data") {
				text, _ := value.(string)
				if decoded, err := base64.StdEncoding.DecodeString(text); err == nil && kind == "Secret" {
					text = string(decoded)
				}
				if strings.Contains(text, s.hash) {
					found++
				}
			}
		}
	}
	password, err := checks.Find("auth/password")
	if err != nil {
		t.Fatal(err)
	}
	in, err := kubeflow.FromCluster(t.Context(), client.Client)
	if err != nil {
		t.Fatal(err)
	}
	report, err := kubeflow.Diagnose(t.Context(), in, kubeflow.DiagnoseOptions{Checks: password})
	if err != nil {
		t.Fatal(err)
	}
	if status := report.Checks[0].Status; found == 0 || status != doctor.OK {
		text, _ := json.Marshal(report.Checks)
		t.Errorf("the changed password is in %d objects, and the check says %s", found, text)
	}
}
