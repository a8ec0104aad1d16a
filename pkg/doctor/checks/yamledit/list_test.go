package yamledit

import "testing"

func TestAnItemIsSetInAList(t *testing.T) {
	item := map[string]any{"id": "b", "config": map[string]any{"tenant": "t"}}
	const text = "- config:\n    tenant: t\n  id: b\n"
	for name, c := range map[string]struct{ before, after string }{
		"no list":                {"issuer: x # here\n", "issuer: x # here\nconnectors:\n" + text},
		"no line break":          {"issuer: x", "issuer: x\nconnectors:\n" + text},
		"an empty list":          {"connectors: []\nissuer: x\n", "connectors:\n" + text + "issuer: x\n"},
		"another item":           {"connectors:\n- id: a\nissuer: x\n", "connectors:\n- id: a\n" + text + "issuer: x\n"},
		"another item, indented": {"connectors:\n  - id: a\nissuer: x\n", "connectors:\n  - id: a\n  - config:\n      tenant: t\n    id: b\nissuer: x\n"},
		"the item":               {"connectors:\n- id: b\n  old: 1\n# c\n- id: a\n", "connectors:\n" + text + "- id: a\n"},
		"the item, at the end":   {"issuer: x\nconnectors:\n- id: b\n  old: 1", "issuer: x\nconnectors:\n" + text},
		"a list in flow style":   {"connectors: [{id: a}]\n", ""},
		"flow style":             {"{connectors: []}", ""},
		"no YAML":                {"a: [", ""},
	} {
		after, err := SetItem(c.before, "connectors", "id", item)
		if after != c.after || (err == nil) != (c.after != "") {
			t.Errorf("%s: %q, %v; want %q", name, after, err, c.after)
		}
		if again, err := SetItem(after, "connectors", "id", item); c.after != "" && (again != after || err != nil) {
			t.Errorf("%s, again: %q, %v", name, again, err)
		}
	}
}
