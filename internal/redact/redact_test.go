package redact

import (
	"encoding/json"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const planted = "zQ7xPlanted9vT2"

func TestKnownTextIsKept(t *testing.T) {
	for _, s := range []string{"oauth2-proxy", "CrashLoopBackOff", "OOMKilled", "istio-ingressgateway", "app.kubernetes.io/part-of", "DEX_BASE_URL", "spawner_ui_config.yaml", "--lock-namespace", "", "80", "v1beta1"} {
		if !Known(s) {
			t.Errorf("%q is not known", s)
		}
	}
	for _, s := range []string{planted, "a1b2c3d4", "hunter2", "s-e-c-r-e-t", "deadbeefcafe", "4111-1111-1111-1111", "correct-horse-battery-staple", "ADMIN1x", "pAsSwOrD", "пароль", "123456", "Zm9v"} {
		if Known(s) {
			t.Errorf("%q is taken for known words", s)
		}
	}
}

func TestCredentialsAreToldFromReferences(t *testing.T) {
	for _, s := range []string{"DB_PASSWORD", "clientSecret", "cookie-secret", "bindPW", "api_key", "--admin-token", "Authorization", "AccountKey", "sig", "hash", "DATABASE_DSN", "PIN", "connectionString"} {
		if !IsCredential(s) {
			t.Errorf("%q is not taken for a credential", s)
		}
	}
	for _, s := range []string{"secretName", "KF_PIPELINES_SA_TOKEN_PATH", "APP_SECURE_COOKIES", "automountServiceAccountToken", "expirationSeconds", "enablePasswordDB", "cookie_refresh", "imagePullSecrets-name"} {
		if IsCredential(s) {
			t.Errorf("%q is taken for a credential", s)
		}
	}
}

// A harmless value under the name of a credential is a bad credential, and not shown either.
func TestNoValueOfACredentialIsASetting(t *testing.T) {
	for _, value := range []string{"1234", "true", "admin", "debug", "10.0.0.1", "v1.2.3", "5m"} {
		if !Setting("level", value) && value != "admin" {
			t.Errorf("%q is not shown", value)
		}
		for _, key := range []string{"DB_PASSWORD", "--pin", "spec.clientSecret", "api-key"} {
			if Setting(key, value) {
				t.Errorf("%s=%q is shown", key, value)
			}
			args := Args([]any{"serve", "--" + strings.TrimLeft(key, "-") + "=" + value}, func(int, string) string { return Masked })
			if last := args[1].(string); strings.HasSuffix(last, "="+value) {
				t.Errorf("%s is shown", last)
			}
		}
	}
}

func TestAMessageKeepsItsWordsOnly(t *testing.T) {
	for in, want := range map[string]string{
		"Back-off restarting failed container":                                         "Back-off restarting failed container",
		"dial tcp 10.0.0.10:3306: i/o timeout":                                         "dial tcp 10.0.0.10:3306: i/o timeout",
		"login as " + planted + " failed":                                              "login as *** failed",
		"password=admin host=db":                                                       "password=*** host=db",
		"Authorization: Bearer abc.def":                                                "Authorization: *** ***",
		"--password admin --verbose":                                                   "--password *** --verbose",
		`{"level":"error","msg":"too many open files","token":"` + planted + `"}`:      `{"level":"error","msg":"too many open files","token":"***"}`,
		"GET https://user:" + planted + "@db.example.com/x?sig=" + planted + " failed": "GET https://user:***?sig=*** failed",
	} {
		if got := Text(in, nil, Mask); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestAConfigurationKeepsKnownKeysAndHarmlessValues(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"YAML": {"issuer: http://dex.auth.svc.cluster.local:5556/dex\nstorage:\n  type: kubernetes\nconnectors:\n- type: ldap\n  config:\n    host: ldap.example.com:636\n    bindPW: " + planted + "\nreplicas: 2\n",
			"issuer: http://dex.auth.svc.cluster.local:5556/dex\nstorage:\n  type: kubernetes\nconnectors:\n- type: ldap\n  config:\n    host: ldap.example.com:636\n    bindPW: ***\nreplicas: 2\n"},
		"INI":               {"[database]\nport = 3306\npassword = \"" + planted + "\"\n", "[database]\nport = 3306\npassword = \"***\"\n"},
		"JSON":              {`{"port":80,"client_secret":"` + planted + `","list":["` + planted + `",true]}`, `{"port":80,"client_secret":"***","list":["***",true]}`},
		"a neighbour":       {`{user: admin, password: ` + planted + `, mode: strict}`, `{user: ***, password: ***, mode: strict}`},
		"under a secret":    {"password:\n  value: true\n  other:\n  - admin\nport: 80", "password:\n  value: ***\n  other:\n  - ***\nport: 80"},
		"over lines":        {"description: \"first\n  " + planted + "\n  last\"\nport: 80", "description: \"***\n  ***\n  ***\"\nport: 80"},
		"a block":           {"key.pem: |\n  -----BEGIN PRIVATE KEY-----\n  " + planted + "\nport: 80", "key.pem: |\n  ***\n  ***\nport: 80"},
		"an unknown key":    {planted + ": true\n", "***: true\n"},
		"a comment":         {"port: 80 # " + planted + " for the others\n#" + planted + "\n", "port: 80 # *** for the others\n***\n"},
		"a named value":     {"env:\n- name: DB_PASSWORD\n  value: admin\n- name: LOG_LEVEL\n  value: debug\n", "env:\n- name: DB_PASSWORD\n  value: ***\n- name: LOG_LEVEL\n  value: debug\n"},
		"a script":          {"#!/bin/sh\nexport X=" + planted + "\ncurl -u admin:" + planted + " http://x\n", "*** ***\n"},
		"brackets on lines": {"{ parallelism: 10,\n  executor: docker, # ours\n  token: " + planted + " }\nport: 80", "{ parallelism: 10,\n  executor: docker, # ours\n  token: *** }\nport: 80"},
	} {
		got := Config(c.in, "", nil, Mask)
		if strings.Contains(got, planted) || name != "a script" && got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestAURLLosesWhatSignsIn(t *testing.T) {
	for in, want := range map[string]string{
		"https://user:" + planted + "@github.com/o/r?ref=v1": "https://github.com/o/r?ref=v1",
		"https://h/x?sv=1&sig=" + planted:                    "https://h/x?***&sig=***",
		"https://h/x?X-Amz-Signature=" + planted:             "https://h/x?***",
		"https://h/x#" + planted:                             "https://h/x#***",
		"https://user:a/" + planted + "@h/x":                 "https://h/x",
		"git@github.com:o/r":                                 "git@github.com:o/r",
		"/a/path":                                            "/a/path",
		"ssh://git:" + planted + "@h/x":                      "ssh://h/x",
		"https://[::1]:8443/x":                               "https://[::1]:8443/x",
	} {
		got := URL(in)
		if strings.Contains(got, planted) || got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestADiffShowsThatAHiddenValueChanged(t *testing.T) {
	parse := func(s string) map[string]any {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(s), &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	show := func(o map[string]any) string { content, _ := json.Marshal(o); return string(content) }
	for name, c := range map[string][2]string{
		"a Secret":         {"{kind: Secret, apiVersion: v1, data: {a: b25l}}", "{kind: Secret, apiVersion: v1, data: {a: dHdv}}"},
		"swapped values":   {"{kind: ConfigMap, apiVersion: v1, data: {config: \"user: x1q\\npassword: y2q\\n\"}}", "{kind: ConfigMap, apiVersion: v1, data: {config: \"user: y2q\\npassword: x1q\\n\"}}"},
		"an unknown key":   {"{kind: X, apiVersion: v1, data: {k1q: true}}", "{kind: X, apiVersion: v1, data: {k2q: true}}"},
		"a number":         {"{kind: X, apiVersion: v1, spec: {password: 1}}", "{kind: X, apiVersion: v1, spec: {password: 2}}"},
		"an argument":      {"{kind: X, apiVersion: v1, spec: {args: [--a, x1q]}}", "{kind: X, apiVersion: v1, spec: {args: [--a, y2q]}}"},
		"an added item":    {"{kind: X, apiVersion: v1, spec: {items: [x1q]}}", "{kind: X, apiVersion: v1, spec: {items: [x1q, x1q]}}"},
		"one text in two":  {"{kind: X, apiVersion: v1, data: {x: x1q y2q}}", "{kind: X, apiVersion: v1, data: {x: x1q z3q}}"},
		"swapped in lists": {"{kind: X, apiVersion: v1, spec: {args: [x1q, y2q]}}", "{kind: X, apiVersion: v1, spec: {args: [y2q, x1q]}}"},
	} {
		a, b := Pair(parse(c[0]), parse(c[1]))
		if show(a) == show(b) {
			t.Errorf("%s: the difference is lost: %s", name, show(a))
		}
		if same, _ := Pair(parse(c[0]), parse(c[0])); strings.Contains(show(same), "before") {
			t.Errorf("%s: equal values are shown as different: %s", name, show(same))
		}
		if s := show(a) + show(b); strings.Contains(s, "x1q") || strings.Contains(s, "y2q") || strings.Contains(s, "k1q") {
			t.Errorf("%s: a hidden value is readable: %s", name, s)
		}
	}
}

// TestANameOfASecretIsNotACredential keeps the name in a reference to a Secret, and nothing else below a key of a credential.
func TestANameOfASecretIsNotACredential(t *testing.T) {
	hide := func(string) string { return "hidden" }
	for text, want := range map[string]string{
		"accessKeySecret: {name: my-store, key: k3y}":                                    "accessKeySecret: {name: my-store, key: hidden}",
		`{"s3": {"secretKeySecret": {"key": "k3y", "name": "my-store"}}}`:                `{"s3": {"secretKeySecret": {"key": "hidden", "name": "my-store"}}}`,
		"s3:\n  accessKeySecret:\n    name: my-store\n    key: k3y":                      "s3:\n  accessKeySecret:\n    name: my-store\n    key: hidden",
		"accessKeySecret: {name: aGVsbG8td29ybGQtMTIzNDU2Nzg5}":                          "accessKeySecret: {name: hidden}", // generated
		"password:\n  accessKeySecret:\n    name: my-store":                              "password:\n  accessKeySecret:\n    name: hidden",
		"password: {accessKeySecret: {name: my-store}}":                                  "password: {accessKeySecret: {name: hidden}}",
		"accessKeySecret: {value: {name: my-store}}\nclientSecret: my-store":             "accessKeySecret: {value: {name: hidden}}\nclientSecret: hidden",
		"secret: {name: my-store}\naccessKey: {name: my-store}\ntoken: {name: my-store}": "secret: {name: hidden}\naccessKey: {name: hidden}\ntoken: {name: hidden}",
	} {
		if got := Config(text, "", nil, hide); got != want {
			t.Errorf("%s\nbecomes\n%s\nwant\n%s", text, got, want)
		}
	}
}
