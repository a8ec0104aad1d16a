package cluster

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Diff returns the unified diff of two states of an object as YAML, "" when they are equal.
// Either may be nil. Values of Secrets are never in it: a value that changes is shown as "*** (before)" and "*** (after)".
func Diff(before, after *unstructured.Unstructured) string {
	name := ""
	for _, o := range []*unstructured.Unstructured{before, after} {
		if o != nil {
			name = RefOf(o).String()
		}
	}
	a, b := masked(before, after)
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(a), B: difflib.SplitLines(b),
		FromFile: name, ToFile: name, Context: 3,
	})
	if err != nil { // the writer is a buffer: it does not fail
		return fmt.Sprintf("%s: %v", name, err)
	}
	return text
}

func masked(before, after *unstructured.Unstructured) (string, string) {
	a, b := visible(before), visible(after)
	if isSecret(before) || isSecret(after) {
		for _, field := range []string{"data", "stringData"} {
			maskField(a, b, field)
		}
		maskAnnotation(a)
		maskAnnotation(b)
	}
	return maskHashes(text(a), text(b))
}

// PasswordHash finds the hashes that bcrypt makes of passwords.
var PasswordHash = regexp.MustCompile(`\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}`)

// maskHashes takes the hashes of passwords out of two texts; one that changes is seen to change.
func maskHashes(a, b string) (string, string) {
	mask := func(s, other, when string) string {
		return PasswordHash.ReplaceAllStringFunc(s, func(hash string) string {
			if strings.Contains(other, hash) {
				return "***"
			}
			return "*** (" + when + ")"
		})
	}
	return mask(a, b, "before"), mask(b, a, "after")
}

func isSecret(o *unstructured.Unstructured) bool {
	return o != nil && o.GetKind() == "Secret" && o.GetAPIVersion() == "v1"
}

func visible(o *unstructured.Unstructured) map[string]any {
	if o == nil {
		return nil
	}
	return stripped(o)
}

func maskField(a, b map[string]any, field string) {
	av, _, _ := unstructured.NestedMap(a, field)
	bv, _, _ := unstructured.NestedMap(b, field)
	for key, value := range av {
		other, both := bv[key]
		switch {
		case both && reflect.DeepEqual(other, value):
			av[key], bv[key] = "***", "***"
		case both:
			av[key], bv[key] = "*** (before)", "*** (after)"
		default:
			av[key] = "***"
		}
	}
	for key := range bv {
		if _, both := av[key]; !both {
			bv[key] = "***"
		}
	}
	if av != nil {
		a[field] = av
	}
	if bv != nil {
		b[field] = bv
	}
}

// maskAnnotation hides the copy of a Secret that kubectl's client-side apply keeps in an annotation.
func maskAnnotation(o map[string]any) {
	const key = "kubectl.kubernetes.io/last-applied-configuration"
	if _, found, _ := unstructured.NestedString(o, "metadata", "annotations", key); found {
		_ = unstructured.SetNestedField(o, "***", "metadata", "annotations", key)
	}
}

func text(o map[string]any) string {
	if o == nil {
		return ""
	}
	out, err := yaml.Marshal(o)
	if err != nil {
		return err.Error()
	}
	return string(out)
}
