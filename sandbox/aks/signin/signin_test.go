package signin

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"
)

const proxyPod = `
metadata: {name: oauth2-proxy-1, namespace: oauth2-proxy}
spec:
  containers:
  - name: oauth2-proxy
    image: quay.io/oauth2-proxy/oauth2-proxy:v7.14.3
    args: [--http-address=0.0.0.0:4180, --config=/etc/oauth2_proxy/oauth2_proxy.cfg, --whitelist-domain=$(DOMAIN)]
    env:
    - {name: OAUTH2_PROXY_CLIENT_SECRET, valueFrom: {secretKeyRef: {name: oauth2-proxy, key: client-secret}}}
    - {name: DOMAIN, value: example.com}
    - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
    - {name: ABSENT, valueFrom: {configMapKeyRef: {name: none, key: a, optional: true}}}
    volumeMounts:
    - {name: config, mountPath: /etc/oauth2_proxy/oauth2_proxy.cfg, subPath: oauth2_proxy.cfg}
    - {name: theme, mountPath: /custom-theme}
  volumes:
  - {name: config, configMap: {name: oauth2-proxy}}
  - {name: theme, configMap: {name: oauth2-proxy}}
`

func podOf(t *testing.T, text string) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{}
	if err := yaml.Unmarshal([]byte(text), pod); err != nil {
		t.Fatal(err)
	}
	return pod
}

func TestOAuth2ProxyRunsAsItsContainerSays(t *testing.T) {
	in := metav1.ObjectMeta{Namespace: "oauth2-proxy", Name: "oauth2-proxy"}
	o := Options{OAuth2Proxy: "/bin/oauth2-proxy", Egress: func() string { return "127.0.0.1:1" }, Client: fake.NewClientset(
		&corev1.Secret{ObjectMeta: in, Data: map[string][]byte{"client-secret": []byte("s")}},
		&corev1.ConfigMap{ObjectMeta: in, Data: map[string]string{"oauth2_proxy.cfg": `custom_sign_in_logo = "/custom-theme/logo.svg"`, "logo.svg": "<svg/>"}},
	)}
	dir := t.TempDir()
	cmd, err := o.oauth2Proxy(t.Context(), podOf(t, proxyPod), dir, "127.0.0.1:4444")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "root/etc/oauth2_proxy/oauth2_proxy.cfg")
	for _, want := range []string{"--config=" + config, "--whitelist-domain=example.com", "--http-address=127.0.0.1:4444"} {
		if !slices.Contains(cmd.Args, want) {
			t.Errorf("%q lacks %s", cmd.Args, want)
		}
	}
	if slices.Index(cmd.Args, "--http-address=127.0.0.1:4444") < slices.Index(cmd.Args, "--http-address=0.0.0.0:4180") {
		t.Error("the container's own address is the last one")
	}
	for _, want := range []string{"OAUTH2_PROXY_CLIENT_SECRET=s", "NAMESPACE=oauth2-proxy", "HTTPS_PROXY=http://127.0.0.1:1"} {
		if !slices.Contains(cmd.Env, want) {
			t.Errorf("%q lacks %s", cmd.Env, want)
		}
	}
	logo := filepath.Join(dir, "root/custom-theme/logo.svg")
	if text, err := os.ReadFile(config); err != nil || string(text) != `custom_sign_in_logo = "`+logo+`"` {
		t.Errorf("the configuration is %s, %v", text, err)
	}
	if _, err := os.Stat(logo); err != nil {
		t.Error(err)
	}
}

func TestPodsThatAreSimulated(t *testing.T) {
	container := Options{OAuth2Proxy: "/bin/oauth2-proxy"}.container("oauth2-proxy", proxyConfig)
	for name, change := range map[string][2]string{
		"a container without a configuration file": {"--config=/etc/oauth2_proxy/oauth2_proxy.cfg", "--provider=oidc"},
		"a file that no volume has":                {"mountPath: /etc/oauth2_proxy/oauth2_proxy.cfg", "mountPath: /etc/other"},
		"an image of another program":              {"oauth2-proxy:v7.14.3", "dex:v7.14.3"},
	} {
		if got := container(podOf(t, strings.Replace(proxyPod, change[0], change[1], 1))); got != "" {
			t.Errorf("%s: container %s runs", name, got)
		}
	}
	if got := container(podOf(t, proxyPod)); got != "oauth2-proxy" {
		t.Errorf("the pod itself: container %q runs", got)
	}
}

func TestAConfigurationThatIsMissingIsAnError(t *testing.T) {
	o := Options{OAuth2Proxy: "/bin/oauth2-proxy", Client: fake.NewClientset()}
	if _, err := o.oauth2Proxy(t.Context(), podOf(t, proxyPod), t.TempDir(), "127.0.0.1:4444"); err == nil || !strings.Contains(err.Error(), "CreateContainerConfigError") {
		t.Errorf("got %v", err)
	}
}
