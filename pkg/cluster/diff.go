package cluster

import (
	"fmt"
	"regexp"

	"github.com/pmezard/go-difflib/difflib"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
)

// Diff returns the unified diff of two states of an object as YAML, "" when they are equal.
// Either may be nil. Only values that are known to be harmless are in it; another one that changes is shown as "*** (before)"
// and "*** (after)".
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
	a, b := redact.Pair(visible(before), visible(after))
	return text(a), text(b)
}

// PasswordHash finds the hashes that bcrypt makes of passwords.
var PasswordHash = regexp.MustCompile(`\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}`)

func visible(o *unstructured.Unstructured) map[string]any {
	if o == nil {
		return nil
	}
	return stripped(o)
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
