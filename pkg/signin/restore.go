package signin

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Restore returns a live object without an edit that was made to it earlier, from before to after. What others have changed since stays, as
// long as it is not what the edit changed itself: that is a *problem.Error.
func Restore(before, after, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	m := merge{}
	restored := live.DeepCopy()
	for _, field := range []string{"data", "spec"} {
		m.field(restored.Object, before.Object, after.Object, live.Object, field)
	}
	for _, field := range []string{"labels", "annotations"} {
		meta, _ := restored.Object["metadata"].(map[string]any)
		m.field(meta, mapOf(before.Object["metadata"]), mapOf(after.Object["metadata"]), mapOf(live.Object["metadata"]), field)
	}
	if len(m.conflicts) > 0 {
		return nil, &problem.Error{What: fmt.Sprintf("%s was changed since, in %s", cluster.RefOf(live), strings.Join(m.conflicts, ", ")),
			Next: "Undo that change, and run the same command again"}
	}
	return restored, nil
}

func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// A merge collects where both sides changed the same.
type merge struct{ conflicts []string }

// absent is a value that is not there.
type absent struct{}

func (m *merge) field(into, before, after, live map[string]any, key string) {
	of := func(o map[string]any) any {
		if v, found := o[key]; found {
			return v
		}
		return absent{}
	}
	switch v := m.value(key, of(before), of(after), of(live)).(type) {
	case absent:
		delete(into, key)
	default:
		into[key] = v
	}
}

// value returns live with the edit from before to after undone.
func (m *merge) value(path string, before, after, live any) any {
	same := func(a, b any) bool { return equality.Semantic.DeepEqual(a, b) || sameKeys(path, a, b) }
	switch {
	case same(before, after), same(live, before):
		return live
	case same(live, after):
		return before
	}
	b, c, l := before, after, live
	if keyed, key := byKey(before, after, live); keyed != nil {
		return m.list(path, key, keyed[0], keyed[1], keyed[2], live)
	}
	if bm, cm, lm, ok := threeMaps(b, c, l); ok {
		out := maps.Clone(lm)
		for _, key := range keysOf(bm, cm, lm) {
			sub := merge{}
			sub.field(out, bm, cm, lm, key)
			for _, conflict := range sub.conflicts {
				m.conflicts = append(m.conflicts, path+"."+conflict)
			}
		}
		if _, missing := before.(absent); missing && len(out) == 0 {
			return absent{}
		}
		return out
	}
	bs, ok1 := b.(string)
	cs, ok2 := c.(string)
	ls, ok3 := l.(string)
	if ok1 && ok2 && ok3 && strings.Contains(bs+cs, "\n") {
		if merged, ok := lines(bs, cs, ls); ok {
			return merged
		}
	}
	m.conflicts = append(m.conflicts, path)
	return live
}

// sameKeys reports whether two addresses of signing keys differ in their query alone, which makes the gateway get the keys again.
func sameKeys(path string, a, b any) bool {
	first, ok := a.(string)
	second, isText := b.(string)
	if !ok || !isText || !strings.HasSuffix(path, "jwksUri") {
		return false
	}
	plain := func(text string) string {
		u, err := url.Parse(text)
		if err != nil {
			return text
		}
		u.RawQuery = ""
		return u.String()
	}
	return plain(first) == plain(second)
}

// threeMaps returns three values as maps; one that is absent is empty, if the others are maps.
func threeMaps(values ...any) (b, c, l map[string]any, ok bool) {
	out := make([]map[string]any, 3)
	for i, v := range values {
		switch v := v.(type) {
		case map[string]any:
			out[i] = v
		case absent:
			out[i] = map[string]any{}
		default:
			return nil, nil, nil, false
		}
	}
	return out[0], out[1], out[2], true
}

func keysOf(all ...map[string]any) []string {
	keys := map[string]bool{}
	for _, m := range all {
		for key := range m {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// byKey returns three lists as maps by the field that names their items; nil unless they are lists of that kind.
func byKey(values ...any) (lists []map[string]any, key string) {
	for _, key := range []string{"name", "issuer"} {
		lists = nil
		for _, v := range values {
			items, isList := v.([]any)
			if _, missing := v.(absent); !isList && !missing {
				return nil, ""
			}
			m := map[string]any{}
			for _, item := range items {
				if name, ok := mapOf(item)[key].(string); ok {
					m[name] = item
				}
			}
			if len(m) == len(items) {
				lists = append(lists, m)
			}
		}
		if len(lists) == len(values) {
			return lists, key
		}
	}
	return nil, ""
}

// list merges lists whose items have names: the live order stays, and what the edit removed comes back at its place.
func (m *merge) list(path, key string, before, after, live map[string]any, now any) any {
	out := maps.Clone(live)
	for _, name := range keysOf(before, after, live) {
		sub := merge{}
		sub.field(out, before, after, live, name)
		for _, conflict := range sub.conflicts {
			m.conflicts = append(m.conflicts, path+"."+conflict)
		}
	}
	var merged []any
	items, _ := now.([]any)
	for _, item := range items {
		name, _ := mapOf(item)[key].(string)
		if kept, found := out[name]; found {
			merged = append(merged, kept)
			delete(out, name)
			continue
		}
		for _, other := range slices.Sorted(maps.Keys(out)) { // renamed: it comes back where it was
			if _, was := live[other]; !was {
				merged = append(merged, out[other])
				delete(out, other)
				break
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(out)) {
		merged = append(merged, out[name])
	}
	if len(merged) == 0 {
		if _, missing := now.(absent); missing || len(before) == 0 {
			return absent{}
		}
	}
	return merged
}

// lines merges texts by their lines; not if live changed lines that the edit changed, or both
// add lines at the same place.
func lines(before, after, live string) (string, bool) {
	a := strings.Split(after, "\n")
	undo := difflib.NewMatcher(a, strings.Split(before, "\n")).GetOpCodes()
	theirs := difflib.NewMatcher(a, strings.Split(live, "\n")).GetOpCodes()
	from := map[string][]string{"before": strings.Split(before, "\n"), "live": strings.Split(live, "\n")}
	type hunk struct {
		difflib.OpCode
		of string
	}
	var hunks []hunk
	for of, codes := range map[string][]difflib.OpCode{"before": undo, "live": theirs} {
		for _, c := range codes {
			if c.Tag != 'e' {
				hunks = append(hunks, hunk{c, of})
			}
		}
	}
	slices.SortFunc(hunks, func(a, b hunk) int { return 2*(a.I1-b.I1) + (a.I2 - b.I2) })
	var out []string
	at := 0
	for n, h := range hunks {
		if n > 0 && h.of != hunks[n-1].of {
			last := hunks[n-1]
			inserts := h.I1 == h.I2 || last.I1 == last.I2 // at the same place, their order is not known
			if h.I1 < last.I2 || h.I1 == last.I2 && inserts {
				return "", false
			}
		}
		out = append(out, a[at:h.I1]...)
		out = append(out, from[h.of][h.J1:h.J2]...)
		at = h.I2
	}
	return strings.Join(append(out, a[at:]...), "\n"), true
}
