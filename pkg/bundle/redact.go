package bundle

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A redactor replaces confidential values. The same value is replaced by the same word everywhere, so that equal values stay
// equal. Values that every installation ships with are public and kept, because checks look for them.
type redactor struct {
	keepEmails bool
	shipped    func(string) bool

	words map[string]string // the replacement of each value
	count map[string]int    // number of different values of each sort
}

func newRedactor(keepEmails bool, shipped func(string) bool) *redactor {
	return &redactor{keepEmails: keepEmails, shipped: shipped, words: map[string]string{}, count: map[string]int{}}
}

// word returns the replacement of a value: "redacted-token-3".
func (r *redactor) word(sort, value string) string {
	if w, known := r.words[value]; known {
		return w
	}
	r.count[sort]++
	w := fmt.Sprintf("redacted-%s-%d", sort, r.count[sort])
	if sort == "email" {
		w += "@redacted.invalid"
	}
	r.words[value] = w
	return w
}

func (r *redactor) secret(sort, value string) string {
	if value == "" || plain(value) || r.shipped(value) || strings.HasPrefix(value, "redacted-") || publicPEM(value) {
		return value
	}
	return r.word(sort, value)
}

// publicPEM reports whether a text consists only of certificates, which are public.
func publicPEM(text string) bool {
	return strings.HasPrefix(text, "-----BEGIN CERTIFICATE-----") && !strings.Contains(text, "KEY-----")
}

// object returns a copy without secrets.
func (r *redactor) object(o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	o.SetManagedFields(nil)
	if o.GetKind() == "Secret" && o.GetAPIVersion() == "v1" {
		r.values(o.Object)
	}
	o.Object = r.value(o.Object).(map[string]any)
	return o
}

// values redacts the data of a Secret.
func (r *redactor) values(secret map[string]any) {
	if data, ok := secret["data"].(map[string]any); ok {
		for _, key := range slices.Sorted(maps.Keys(data)) {
			encoded, _ := data[key].(string)
			if plain, err := base64.StdEncoding.DecodeString(encoded); err == nil {
				data[key] = base64.StdEncoding.EncodeToString([]byte(r.secret("value", string(plain))))
			} else {
				data[key] = ""
			}
		}
	}
	if data, ok := secret["stringData"].(map[string]any); ok {
		for _, key := range slices.Sorted(maps.Keys(data)) {
			plain, _ := data[key].(string)
			data[key] = r.secret("value", plain)
		}
	}
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// value redacts every string below a value, in the order of the keys.
func (r *redactor) value(v any) any {
	switch v := v.(type) {
	case string:
		return r.text(v)
	case []any:
		for i := range v {
			v[i] = r.value(v[i])
		}
	case map[string]any:
		name, _ := v["name"].(string)
		if held, ok := v["value"].(string); ok && secretName.MatchString(name) && !strings.HasPrefix(held, "/") {
			v["value"] = r.secret("value", held)
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if text, ok := v[key].(string); ok && key == lastApplied {
				v[key] = r.applied(text)
				continue
			}
			v[key] = r.value(v[key])
		}
	}
	return v
}

// applied redacts the object in kubectl apply's last-applied annotation.
func (r *redactor) applied(text string) string {
	o := &unstructured.Unstructured{}
	if json.Unmarshal([]byte(text), &o.Object) != nil {
		return ""
	}
	content, err := json.Marshal(r.object(o).Object)
	if err != nil {
		return ""
	}
	return string(content) + "\n"
}

var (
	// secretName are names of settings whose values are secrets.
	secretName = regexp.MustCompile(`(?i)(password|passwd|secret|token|api_?key|access_?key|credentials?)$`)

	privateKey = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----`)
	webToken   = regexp.MustCompile(`\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*`)
	bearer     = regexp.MustCompile(`(?i)(\bbearer\s+)([\w.~+/-]{12,}=*)`)
	inAddress  = regexp.MustCompile(`(://[^\s/:@"']+:)([^\s/@"']+)(@)`)
	setting    = regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|token|api[-_]?key|access[-_]?key|accountkey|sig)["']?[ \t]*[:=][ \t]*["']?)([^\s"',;&{}\[\]|<>$/\\][^\s"',;&{}\\]*)`)
	email      = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`)
)

// text redacts whatever looks like a secret or an e-mail address in a text.
func (r *redactor) text(s string) string {
	if strings.Contains(s, "PRIVATE KEY") {
		s = privateKey.ReplaceAllStringFunc(s, func(key string) string { return r.word("key", key) })
	}
	s = webToken.ReplaceAllStringFunc(s, func(token string) string { return r.word("token", token) })
	s = cluster.PasswordHash.ReplaceAllStringFunc(s, func(hash string) string { return r.secret("hash", hash) })
	for _, part := range []struct {
		sort    string
		pattern *regexp.Regexp
	}{{"token", bearer}, {"value", inAddress}, {"value", setting}} {
		s = part.pattern.ReplaceAllStringFunc(s, func(found string) string {
			m := part.pattern.FindStringSubmatch(found)
			return m[1] + r.secret(part.sort, m[2]) + strings.Join(m[3:], "")
		})
	}
	if r.keepEmails || !strings.Contains(s, "@") {
		return s
	}
	return email.ReplaceAllStringFunc(s, func(address string) string {
		if r.shipped(address) || strings.HasSuffix(address, "@redacted.invalid") {
			return address
		}
		return r.word("email", address)
	})
}

// plain reports whether the value of a setting is a common word such as "true", which cannot be a secret.
func plain(value string) bool {
	return slices.Contains([]string{"true", "false", "null", "nil", "none", "yes", "no"}, strings.ToLower(value))
}
