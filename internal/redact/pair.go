package redact

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Pair returns copies of two states of an object, either of which may be nil, in which only harmless values are readable. A
// masked value that differs between the two is seen to differ: it is "*** (before)" in one and "*** (after)" in the other.
func Pair(before, after map[string]any) (map[string]any, map[string]any) {
	p := &pair{hidden: [2]map[string]map[string]bool{{}, {}}, keys: map[string]string{}}
	for side, o := range []map[string]any{before, after} {
		if o != nil {
			(&object{replace: func(at, value string) string {
				p.note(side, at, value)
				return Masked
			}, kind: kindOf(o)}).mask(o, p)
		}
	}
	masked := [2]map[string]any{}
	for side, o := range []map[string]any{before, after} {
		if o != nil {
			masked[side] = (&object{replace: func(at, value string) string { return p.label(side, at, value) }, kind: kindOf(o)}).mask(o, p)
		}
	}
	if before != nil && after != nil {
		p.tellApart(before, after, masked[0], masked[1])
	}
	return masked[0], masked[1]
}

// Object returns a copy of an object in which only harmless values are readable.
func Object(o map[string]any) map[string]any {
	masked, _ := Pair(o, nil)
	return masked
}

// Pointer returns a JSON pointer (RFC 6901) in which only harmless keys are readable.
func Pointer(pointer string) string {
	keys := strings.Split(pointer, "/")
	for i, key := range keys {
		key = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
		if _, err := strconv.ParseUint(key, 10, 16); err != nil && !Known(key) && !FieldName(key) {
			keys[i] = Masked
		}
	}
	return strings.Join(keys, "/")
}

func kindOf(o map[string]any) string {
	kind, _ := o["kind"].(string)
	version, _ := o["apiVersion"].(string)
	if group, _, grouped := strings.Cut(version, "/"); grouped {
		return group + "/" + kind
	}
	return kind
}

// A pair knows what was hidden where, in either state.
type pair struct {
	hidden [2]map[string]map[string]bool // by place, the values
	keys   map[string]string             // the replacement of each hidden key

	keyName Replace // what stands for a hidden key; nil numbers them
}

func (p *pair) note(side int, at, value string) {
	if p.hidden[side][at] == nil {
		p.hidden[side][at] = map[string]bool{}
	}
	p.hidden[side][at][value] = true
}

func (p *pair) label(side int, at, value string) string {
	other := p.hidden[1-side][at]
	switch {
	case other == nil || other[value]:
		return Masked
	case side == 0:
		return Masked + " (before)"
	}
	return Masked + " (after)"
}

// key returns the replacement of a key, which may be a secret too.
func (p *pair) key(key string) string {
	if p.keyName != nil {
		return p.keyName(key)
	}
	if p.keys[key] == "" {
		p.keys[key] = Masked + " key " + strconv.Itoa(len(p.keys)+1)
	}
	return p.keys[key]
}

// tellApart marks texts that differ only in what is hidden, such as two secrets that have changed places.
func (p *pair) tellApart(a, b, maskedA, maskedB any) {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		ma, okA := maskedA.(map[string]any)
		mb, okB := maskedB.(map[string]any)
		if !ok || !okA || !okB {
			return
		}
		for key := range a {
			other, there := b[key]
			shown := key
			if _, kept := ma[key]; !kept {
				shown = p.keys[key]
			}
			if !there {
				continue
			}
			if x, y, changed := told(a[key], other, ma[shown], mb[shown]); changed {
				ma[shown], mb[shown] = x, y
				continue
			}
			p.tellApart(a[key], other, ma[shown], mb[shown])
		}
	case []any:
		b, ok := b.([]any)
		ma, okA := maskedA.([]any)
		mb, okB := maskedB.([]any)
		if !ok || !okA || !okB {
			return
		}
		for i := range min(len(a), len(b)) {
			if x, y, changed := told(a[i], b[i], ma[i], mb[i]); changed {
				ma[i], mb[i] = x, y
				continue
			}
			p.tellApart(a[i], b[i], ma[i], mb[i])
		}
	}
}

func told(a, b, maskedA, maskedB any) (any, any, bool) {
	x, ok := a.(string)
	y, ok2 := b.(string)
	mx, _ := maskedA.(string)
	my, _ := maskedB.(string)
	if !ok || !ok2 || x == y || mx != my {
		return nil, nil, false
	}
	if strings.Contains(mx, "\n") {
		return strings.TrimRight(mx, "\n") + "\n# " + Masked + " (before)\n", strings.TrimRight(my, "\n") + "\n# " + Masked + " (after)\n", true
	}
	return mx + " (before)", my + " (after)", true
}

// An object is one state on its way through the masks.
type object struct {
	kind    string
	replace func(at, value string) string
	public  func(string) bool // values that are known to everybody; nil for none
	pair    *pair
}

func (o *object) mask(content map[string]any, p *pair) map[string]any {
	o.pair = p
	return o.fields(content, place{})
}

// A place is where a value is in an object.
type place struct {
	path    string // with names instead of numbers in lists
	field   string // the last field's name, also for the items of a list
	free    bool   // the keys here are whatever somebody chose: labels, data
	secret  bool   // everything here is hidden
	setting string // the environment variable whose value this is
}

// freeKeys are the fields whose keys are not Kubernetes' own.
var freeKeys = setOf("labels", "annotations", "data", "stringData", "binaryData", "matchLabels", "nodeSelector", "selector", "parameters", "headers", "set", "add",
	"volumeAttributes", "options", "extensions", "typed_config", "config", "settings", "values", "commonLabels", "podLabels", "podAnnotations", "attributes", "properties", "extra", "limits", "requests", "capacity", "allocatable", "hard", "used")

func (o *object) fields(m map[string]any, at place) map[string]any {
	out := make(map[string]any, len(m))
	name, _ := m["name"].(string)
	for _, key := range sortedKeys(m) {
		value := m[key]
		in := place{path: at.path + "/" + key, field: key, secret: at.secret || o.hides(at, key), free: freeKeys[key] && !at.free || at.free}
		shown := key
		if at.free && !Known(key) || !FieldName(key) {
			shown = o.pair.key(key)
		}
		if key == "value" && name != "" {
			in.setting = name
		}
		out[shown] = o.value(value, in)
	}
	return out
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// hides reports whether everything under a key is hidden.
func (o *object) hides(at place, key string) bool {
	switch {
	case o.kind == "Secret" && at.path == "" && (key == "data" || key == "stringData"), key == "binaryData", key == "managedFields":
		return true
	case strings.HasSuffix(at.path, "/annotations") && strings.Contains(key, "last-applied"), strings.HasSuffix(at.path, "/headers/request/set"), strings.HasSuffix(at.path, "/headers/request/add"):
		return true
	}
	return IsCredential(key) && key != "secret" && !isReference(key)
}

// isReference reports whether a field named as a credential refers to where one is, in the API of Kubernetes.
func isReference(key string) bool {
	switch key {
	case "secretKeyRef", "secretRef", "imagePullSecrets", "secrets", "secretName", "serviceAccountToken", "key", "secret", "privateKey":
		return true
	}
	return false
}

func (o *object) value(v any, at place) any {
	switch v := v.(type) {
	case map[string]any:
		return o.fields(v, at)
	case []any:
		if at.field == "args" || at.field == "command" {
			return o.words(v, at)
		}
		out := make([]any, len(v))
		for i, item := range v {
			in := at
			in.path += "/" + itemName(item, i)
			out[i] = o.value(item, in)
		}
		return out
	case string:
		return o.text(v, at)
	case bool, nil:
		return v
	}
	if at.secret {
		return o.replace(at.path, fmt.Sprint(v))
	}
	return v
}

// itemName names an item of a list, so that it is compared with the one of the same name.
func itemName(item any, i int) string {
	if m, ok := item.(map[string]any); ok {
		if name, ok := m["name"].(string); ok && name != "" {
			return name
		}
	}
	return strconv.Itoa(i)
}

func (o *object) text(s string, at place) string {
	hide := func(value string) string { return o.replace(at.path, value) }
	switch {
	case s == "" || o.public != nil && o.public(s):
		return s
	case at.secret:
		return hide(s)
	case at.setting != "":
		return Config(s, at.setting, nil, hide)
	case strings.Contains(s, "\n") || at.free && strings.HasPrefix(at.path, "/data/"):
		if o.kind == "apiextensions.k8s.io/CustomResourceDefinition" {
			return Text(s, nil, hide)
		}
		return Config(s, at.field, nil, hide)
	case at.free:
		if Word(s) || Setting(at.field, s) {
			return s
		}
		return hide(s)
	}
	if form := fieldForms[at.field]; Word(s) || form != nil && form(s) {
		return s
	}
	if o.kind == "apiextensions.k8s.io/CustomResourceDefinition" {
		return Text(s, nil, hide)
	}
	return hide(s)
}

// words masks the arguments of a program: what is assigned to a flag is judged by the flag's name.
func (o *object) words(list []any, at place) []any {
	return Args(list, func(i int, value string) string { return o.replace(at.path, value) })
}
