package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

var (
	podKind    = schema.GroupKind{Kind: "Pod"}
	secretKind = schema.GroupKind{Kind: "Secret"}
	mapKind    = schema.GroupKind{Kind: "ConfigMap"}
)

// Values that must not be in a bundle, wherever they were.
const (
	password     = "correct-horse-battery"
	token        = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJl"
	hash         = "$2y$12$4K/VkmDd1q1Orb3xAt82zu8gk7Ad6ReFR4LCP9UeYE90NLiN9Df73"
	person       = "jane.doe@contoso.com"
	key          = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0\n-----END RSA PRIVATE KEY-----"
	defaultValue = "minio123" // the default of every installation
)

// kept is a table such as the checks have.
var kept = redact.Table{
	podKind:      {"apiVersion id", "kind kind", "metadata/{name,namespace} id", "metadata/labels labels", "spec/containers/{name,image} image", "spec/containers/args args", "spec/containers/env env", "status/phase", "status/containerStatuses/**"},
	secretKind:   {"apiVersion id", "kind kind", "metadata/{name,namespace} id", "metadata/{labels,annotations} labels", "type id", "data secret"},
	mapKind:      {"apiVersion id", "kind kind", "metadata/{name,namespace} id", "data/* config"},
	redact.Other: {"apiVersion id", "kind kind", "metadata/{name,namespace} id", "involvedObject/{kind,name} id", "message text"},
}

var secrets = []string{password, token, hash, person, "MIIEowIBAAKCAQEA0"}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	content, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(content); err != nil {
		t.Fatal(err)
	}
	return o
}

func testView(t *testing.T) cluster.View {
	pod := cluster.Ref{APIVersion: "v1", Kind: "Pod", Namespace: "kubeflow", Name: "unhealthy"}
	return cluster.Saved("the test", cluster.Memory{
		Version: &version.Info{GitVersion: "v1.35.4"}, Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Logs: map[cluster.Ref]map[cluster.LogScope]string{pod.Identity(): {
			{Container: "main", Previous: true, Lines: cluster.LogLines}: "connecting as root, password=" + password + "\nuser " + person + " sent Bearer " + token + "\nexit\n",
			{Container: "main", Lines: cluster.LogLines}:                 "starting\n",
		}},
		Raw: map[string][]byte{"/.well-known/openid-configuration": []byte(`{"issuer":"https://issuer/"}`)},
	},
		object(t, "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: kubeflow, annotations: {kubectl.kubernetes.io/last-applied-configuration"+`: '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"p":"`+password+`"}}'}}, data: {p: `+encoded(password)+", shipped: "+encoded(defaultValue)+", tls.key: "+encoded(key)+", tls.crt: "+encoded("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")+"}}"),
		object(t, "{apiVersion: v1, kind: Secret, metadata: {name: same, namespace: kubeflow}, data: {q: "+encoded(password)+"}}"),
		object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: dex, namespace: auth}, data: {config.yaml: \"staticPasswords:\\n- email: "+person+"\\n  hash: '"+hash+"'\\nclientSecret: "+password+"\\naccessKeySecret:\\n  name: mlpipeline\\nlogin: https://root:"+password+"@db/x\\n\", key: \""+strings.ReplaceAll(key, "\n", "\\n")+"\"}}"),
		object(t, `{apiVersion: v1, kind: Pod, metadata: {name: unhealthy, namespace: kubeflow}, spec: {containers: [{name: main, image: "busybox:1", args: [--admin-token=`+password+`, "--verbose=true"], env: [{name: DB_PASSWORD, value: `+password+`}, {name: TOKEN_PATH, value: /var/run/token}]}]}, status: {phase: Running, containerStatuses: [{name: main, ready: false, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}}]}}`),
		object(t, `{apiVersion: v1, kind: Pod, metadata: {name: healthy, namespace: kubeflow}, status: {phase: Running, containerStatuses: [{name: main, ready: true, restartCount: 0, state: {running: {}}}]}}`),
		object(t, `{apiVersion: v1, kind: Event, metadata: {name: e, namespace: kubeflow}, involvedObject: {kind: Pod, name: unhealthy}, message: "Back-off restarting failed container"}`),
	)
}

// writeBundle records a few requests and writes the bundle.
func writeBundle(t *testing.T, o Options) ([]byte, *Head) {
	t.Helper()
	ctx := context.Background()
	r := Record(testView(t))
	for _, kind := range []schema.GroupKind{podKind, secretKind} {
		if _, err := r.List(ctx, kind, cluster.Scope{Namespace: "kubeflow"}); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = r.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "auth", Name: "dex"})
	_, _ = r.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "auth", Name: "gone"})
	_, _ = r.List(ctx, schema.GroupKind{Group: "example.org", Kind: "Strange"}, cluster.Scope{})
	_, _ = r.Raw(ctx, "/.well-known/openid-configuration")
	r.AddUnhealthy(ctx)
	_, _ = r.Version(ctx)
	_, _ = r.Now(ctx)
	o.Shipped = func(s string) bool { return s == defaultValue }
	if o.Keep == nil {
		o.Keep = kept
	}
	var b bytes.Buffer
	head, err := r.Write(&b, Head{}, o)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), head
}

func unpacked(t *testing.T, content []byte) string {
	t.Helper()
	zipped, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(zipped)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func TestABundleContainsNoSecrets(t *testing.T) {
	content, head := writeBundle(t, Options{Report: func(v cluster.View) any {
		pods, err := v.List(context.Background(), podKind, cluster.Scope{Namespace: "kubeflow"})
		return map[string]any{"pods": pods, "err": err}
	}})
	all := unpacked(t, content)
	for _, secret := range secrets {
		if strings.Contains(all, secret) || strings.Contains(all, encoded(secret)) {
			t.Errorf("%q is in the bundle", secret)
		}
	}
	for _, wanted := range []string{encoded(defaultValue), "busybox:1", "--verbose=true", "DB_PASSWORD", "README.txt", "Back-off restarting failed container"} {
		if !strings.Contains(all, wanted) {
			t.Errorf("%q is missing from the bundle although it is not a secret", wanted)
		}
	}
	if head.Redacted["value"] == 0 || head.Redacted["text"] == 0 {
		t.Errorf("the redacted values are counted as %v", head.Redacted)
	}
}

func TestABundleGivesTheSameResponsesAsTheCluster(t *testing.T) {
	ctx := context.Background()
	content, _ := writeBundle(t, Options{})
	b, err := Open(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	v := b.View()
	if pods, err := v.List(ctx, podKind, cluster.Scope{Namespace: "kubeflow"}); err != nil || len(pods) != 2 {
		t.Errorf("%d pods, %v", len(pods), err)
	}
	if pods, err := v.List(ctx, podKind, cluster.Scope{Namespace: "kubeflow", Fields: "metadata.name=unhealthy"}); err != nil || len(pods) != 1 {
		t.Errorf("a list that follows from another one is unknown: %d pods, %v", len(pods), err)
	}
	s, err := v.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "Secret", Namespace: "kubeflow", Name: "s"})
	same, err2 := v.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "Secret", Namespace: "kubeflow", Name: "same"})
	if err != nil || err2 != nil || s.Object["data"].(map[string]any)["p"] != same.Object["data"].(map[string]any)["q"] {
		t.Errorf("equal values are no longer equal: %v, %v", err, err2)
	}
	if _, err := v.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "auth", Name: "gone"}); !apierrors.IsNotFound(err) {
		t.Errorf("an object that did not exist: %v", err)
	}
	if _, err := v.List(ctx, schema.GroupKind{Group: "example.org", Kind: "Strange"}, cluster.Scope{}); !meta.IsNoMatchError(err) {
		t.Errorf("a kind that the cluster does not have: %v", err)
	}
	var unknowable *cluster.ErrUnknowable
	if _, err := v.List(ctx, mapKind, cluster.Scope{Namespace: "auth"}); !errors.As(err, &unknowable) {
		t.Errorf("a kind that was never listed: %v", err)
	}
	if _, err := v.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: "auth", Name: "other"}); !errors.As(err, &unknowable) {
		t.Errorf("an object that was never requested: %v", err)
	}
	if now, err := v.Now(ctx); err != nil || now.Year() != 2026 {
		t.Errorf("the time is %v, %v", now, err)
	}
	if log, err := v.Logs(ctx, cluster.RefOf(object(t, "{apiVersion: v1, kind: Pod, metadata: {name: unhealthy, namespace: kubeflow}}")), cluster.LogScope{Container: "main", Previous: true, Lines: cluster.LogLines}); err != nil || !strings.Contains(log, "exit") {
		t.Errorf("the log is %q, %v", log, err)
	}
	if raw, err := v.Raw(ctx, "/.well-known/openid-configuration"); err != nil || !strings.Contains(string(raw), "issuer") {
		t.Errorf("the document is %q, %v", raw, err)
	}
}

func TestAKindThatIsTooLargeIsLeftOutAndReported(t *testing.T) {
	ctx := context.Background()
	big := object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: big, namespace: a}, data: {}}")
	big.Object["data"] = map[string]any{"config": strings.Repeat("port: 80\n", 100)}
	small := object(t, "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: a}}")
	r := Record(cluster.Objects("the test", nil, big, small))
	_, _ = r.List(ctx, mapKind, cluster.Scope{})
	_, _ = r.List(ctx, podKind, cluster.Scope{})
	var out bytes.Buffer
	head, err := r.Write(&out, Head{}, Options{Most: 500, Keep: kept, Shipped: func(string) bool { return false }})
	if err != nil || len(head.LeftOut) != 1 || head.LeftOut[0] != "core/ConfigMap" {
		t.Fatalf("left out: %v, %v", head, err)
	}
	b, err := Open(&out)
	if err != nil {
		t.Fatal(err)
	}
	var unknowable *cluster.ErrUnknowable
	if _, err := b.View().List(ctx, mapKind, cluster.Scope{}); !errors.As(err, &unknowable) {
		t.Errorf("the kind that was left out: %v", err)
	}
	if pods, err := b.View().List(ctx, podKind, cluster.Scope{}); err != nil || len(pods) != 1 {
		t.Errorf("the other kind: %d pods, %v", len(pods), err)
	}
}

func TestAFileThatIsNotABundleIsRejected(t *testing.T) {
	packed := func(name, content string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		_ = w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o600})
		_, _ = w.Write([]byte(content))
		_ = w.Close()
		_ = z.Close()
		return b.Bytes()
	}
	for name, content := range map[string][]byte{
		"text": []byte("hello"), "empty": nil, "another archive": packed("a/b.yaml", "x: 1"),
		"another kind": packed("a/bundle.yaml", "apiVersion: v1\nkind: Pod\n"), "a broken head": packed("a/bundle.yaml", "\t{"),
		"a list for an object": packed("a/objects/core/Pod/x.yaml", "- 1\n"), "a log without a name": packed("a/logs/x", "y"),
		"truncated": packed("a/bundle.yaml", strings.Repeat("x", 1000))[:60],
	} {
		if _, err := Open(bytes.NewReader(content)); err == nil {
			t.Errorf("%s is accepted as a bundle", name)
		}
	}
}
