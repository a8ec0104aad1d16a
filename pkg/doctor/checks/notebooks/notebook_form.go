package notebooks

import (
	"fmt"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/yamledit"
)

// A notebookForm is the part of the notebook form's configuration about tolerations.
type notebookForm struct {
	Defaults struct {
		Group struct {
			Options []struct {
				Tolerations []corev1.Toleration `yaml:"tolerations"`
			} `yaml:"options"`
		} `yaml:"tolerationGroup"`
	} `yaml:"spawnerFormDefaults"`
}

// offersToleration reports whether the form has an option that tolerates a taint.
func offersToleration(form string, taint corev1.Taint) (bool, error) {
	var f notebookForm
	if err := yamledit.Parse(form, &f); err != nil {
		return false, fmt.Errorf("reading the notebook form: %w", err)
	}
	for _, option := range f.Defaults.Group.Options {
		if scheduling.TolerationsTolerateTaint(klog.Background(), option.Tolerations, &taint, true) {
			return true, nil
		}
	}
	return false, nil
}

// addTolerations adds an option for each taint, and keeps every other character.
func addTolerations(form string, taints []corev1.Taint) (string, error) {
	var document yaml.Node
	if err := yamledit.Parse(form, &document); err != nil || len(document.Content) == 0 {
		return "", fmt.Errorf("the form cannot be read")
	}
	at := document.Content[0]
	var key *yaml.Node
	for _, name := range []string{"spawnerFormDefaults", "tolerationGroup", "options"} {
		key = keyOf(at, name)
		if at = yamledit.ValueOf(at, name); at == nil {
			return "", fmt.Errorf("the form has no %s", name)
		}
	}
	place := yamledit.Offsets(form)
	edited := ""
	switch {
	case at.Kind != yaml.SequenceNode:
		return "", fmt.Errorf("the form's options are not a list")
	case len(at.Content) == 0 && strings.HasPrefix(form[place(at):], "[]"):
		begin := place(at)
		edited = strings.TrimRight(form[:begin], " ") + "\n" + strings.TrimSuffix(tolerationGroups(taints, key.Column+1), "\n") + form[begin+2:]
	case len(at.Content) > 0 && at.Style&yaml.FlowStyle == 0:
		line := strings.LastIndex(form[:place(at.Content[0])], "\n") + 1 // of the first option
		dash := strings.Index(form[line:], "-")
		edited = form[:line] + tolerationGroups(taints, dash) + form[line:]
	default:
		return "", fmt.Errorf("the form's options are written in a way that cannot be edited safely")
	}
	return edited, verifyAdditions(form, edited, len(taints))
}

// tolerationGroups returns the YAML of one toleration group for each taint, indented.
func tolerationGroups(taints []corev1.Taint, indent int) string {
	var out strings.Builder
	space := strings.Repeat(" ", indent)
	for _, t := range taints {
		name := strings.TrimSuffix(t.Key+"="+t.Value, "=")
		operator := fmt.Sprintf("operator: Equal, value: %q", t.Value)
		if t.Value == "" {
			operator = "operator: Exists"
		}
		fmt.Fprintf(&out, "%s- groupKey: %q\n%s  displayName: %q\n%s  tolerations:\n%s  - {key: %q, %s, effect: %s}\n",
			space, "gpu-"+strings.NewReplacer("/", "-", "=", "-", ".", "-").Replace(name), space, "GPU nodes ("+name+")", space, space, t.Key, operator, t.Effect)
	}
	return out.String()
}

func keyOf(mapping *yaml.Node, name string) *yaml.Node {
	if mapping.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			if mapping.Content[i].Value == name {
				return mapping.Content[i]
			}
		}
	}
	return nil
}

// verifyAdditions checks that an edit added n options before the existing ones and changed nothing else.
func verifyAdditions(original, edited string, n int) error {
	var was, is map[string]any
	unsafe := fmt.Errorf("the form is written in a way that cannot be edited safely")
	if yamledit.Parse(original, &was) != nil || yamledit.Parse(edited, &is) != nil {
		return unsafe
	}
	group, ok := nestedMap(is, "spawnerFormDefaults", "tolerationGroup")
	if !ok {
		return unsafe
	}
	list, _ := group["options"].([]any)
	if len(list) < n {
		return unsafe
	}
	group["options"] = list[n:]
	if !reflect.DeepEqual(was, is) {
		return unsafe
	}
	return nil
}

func nestedMap(m map[string]any, keys ...string) (map[string]any, bool) {
	for _, key := range keys {
		next, ok := m[key].(map[string]any)
		if !ok {
			return nil, false
		}
		m = next
	}
	return m, true
}
