package redact

import (
	"strings"
	"testing"
)

func TestAMessageShowsNoCredential(t *testing.T) {
	for text, want := range map[string]string{
		`Secret "a" is invalid: data[k]: Invalid value: "hUnter2x": must be base64`:               `Secret "a" is invalid: data[k]: Invalid value: "***": must be base64`,
		`patch: Invalid value: "{\"data\":{\"k\":\"hUnter2x\"}}": cannot be handled`:              `patch: Invalid value: "***": cannot be handled`,
		`spec.x: Invalid value: map[string]interface {}{"k":"hUnter2x"}: must be of type string`:  `spec.x: Invalid value: ***: must be of type string`,
		`spec.type: Unsupported value: "Gateway": supported values: "ClusterIP"`:                  `spec.type: Unsupported value: "Gateway": supported values: "ClusterIP"`,
		`error found in #10 byte of ...|word":"hUnter2x"}|..., bigger context ...|"hUnter2x"|...`: `error found in #10 byte of ...|***`,
		`invalid proxy address "http://user:hUnter2x@proxy:3128": parse`:                          `invalid proxy address "http://proxy:3128": parse`,
		`invalid proxy address "user:hUnter2x@proxy": parse`:                                      `invalid proxy address "proxy": parse`,
		`image nginx:1.2@sha256:0011 was not found`:                                               `image nginx:1.2@sha256:0011 was not found`,
		`authorization: Bearer hUnter2xhUnter2x`:                                                  `authorization: Bearer ***`,
		`connecting with password=hUnter2x to mysql:3306`:                                         `connecting with password=*** to mysql:3306`,
		`{"level":"error","client_secret":"hUnter2x","n":1}`:                                      `{"level":"error","client_secret":"***","n":1}`,
		`{\"client_secret\":\"hUnter2x\"}`:                                                        `{\"client_secret\":\"***\"}`,
		`run with --db-password hUnter2x --port 80`:                                               `run with --db-password *** --port 80`,
		`waiting: password=hUnter2x`:                                                              `waiting: password=***`,
		`level=error msg="login: password=hUnter2x" a=b`:                                          `level=error msg="login: password=***" a=b`,
		`{"msg":"a: b: client_secret: 'hUnter2x', port: 80"}`:                                     `{"msg":"a: b: client_secret: '***', port: 80"}`,
		`a=b=token=hUnter2x password="hUnter2x and more" x`:                                       `a=b=token=*** password="***" x`,
		`bad token eyJhbGciOiJIUzI1NiJ9.eyJ.hUnter2x`:                                             `bad token ***`,
		"key:\n-----BEGIN RSA PRIVATE KEY-----\nhUnter2x\n-----END RSA PRIVATE KEY-----\nend":     "key:\n***\nend",
		`Secret kubeflow/oidc-authservice-client has no key client_id`:                            `Secret kubeflow/oidc-authservice-client has no key client_id`,
		`flag provided but not defined: -lock-namespace`:                                          `flag provided but not defined: -lock-namespace`,
		`dial tcp: lookup https://u:hUnter2x@db.example.com/x?sig=hUnter2x`:                       `dial tcp: lookup https://db.example.com/x?sig=***`,
	} {
		got := Message(text)
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
		if strings.Contains(got, "hUnter2x") {
			t.Errorf("%s shows the credential", got)
		}
		if again := Message(got); again != got {
			t.Errorf("%s becomes %s when it is masked again", got, again)
		}
	}
}
