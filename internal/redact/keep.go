package redact

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A Table lists the fields that are kept, by kind: "spec/containers/image image" is a path and the form of its values. Lists are
// passed through; {a,b} stands for both, * for every key, and ** for everything below. Without a form, only numbers, switches and
// known words are kept. The kind "*" is every other kind of a group. What is not listed is dropped.
type Table map[schema.GroupKind][]string

// Other stands for every kind that a table does not list.
var Other = schema.GroupKind{Kind: "*"}

// Rules say what becomes of the values that are not kept.
type Rules struct {
	Replace Replace           // what stands for a value
	Public  func(string) bool // values that are known to everybody
	Names   func(string) bool // what is shown elsewhere, and may stand in messages
	Person  Replace           // what stands for the name of a user
}

// Object returns what is kept of an object.
func (t Table) Object(o map[string]any, kind schema.GroupKind, r Rules) map[string]any {
	fields, known := t[kind]
	if !known {
		if fields, known = t[schema.GroupKind{Group: kind.Group, Kind: "*"}]; !known {
			fields = t[Other]
		}
	}
	kept, _ := r.keep(o, compile(fields), "").(map[string]any)
	return kept
}

// A node is one step of the paths of a kind.
type node struct {
	fields map[string]*node
	form   string
	whole  bool
}

func compile(fields []string) *node {
	root := &node{fields: map[string]*node{}}
	for _, field := range fields {
		path, form, _ := strings.Cut(field, " ")
		for _, one := range braces(path) {
			at := root
			for step := range strings.SplitSeq(one, "/") {
				if step == "**" {
					at.whole = true
					continue
				}
				if at.fields[step] == nil {
					at.fields[step] = &node{fields: map[string]*node{}}
				}
				at = at.fields[step]
			}
			at.form = strings.TrimSpace(form)
		}
	}
	return root
}

// braces expands {a,b}.
func braces(path string) []string {
	open, end := strings.Index(path, "{"), strings.Index(path, "}")
	if open < 0 || end < open {
		return []string{path}
	}
	var all []string
	for choice := range strings.SplitSeq(path[open+1:end], ",") {
		all = append(all, braces(path[:open]+choice+path[end+1:])...)
	}
	return all
}

// keep returns what is kept of a value; nil is nothing.
func (r Rules) keep(v any, n *node, field string) any {
	if shape := shapes[n.form]; shape != nil {
		return shape(r, field, v)
	}
	switch v := v.(type) {
	case map[string]any:
		if n.whole {
			return r.whole(v)
		}
		return r.fields(v, n)
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			if kept := r.keep(item, n, field); kept != nil {
				out = append(out, kept)
			}
		}
		return out
	case string:
		return r.text(n.form, field, v)
	case nil:
		return nil
	}
	if len(n.fields) > 0 || n.form == "hash" {
		return nil
	}
	return number(v, r)
}

// number keeps what is too short to be a secret.
func number(v any, r Rules) any {
	if s := fmt.Sprint(v); len(s) > 12 {
		return r.Replace(s)
	}
	return v
}

func (r Rules) fields(m map[string]any, n *node) any {
	out := map[string]any{}
	for _, key := range sortedKeys(m) {
		below := n.fields[key]
		shown := key
		if below == nil {
			if below = n.fields["*"]; below == nil {
				continue
			}
			if !Known(key) {
				shown = r.Replace(key)
			}
		}
		if kept := r.keep(m[key], below, key); kept != nil {
			out[shown] = kept
		}
	}
	return out
}

// whole keeps the structure of an object, and of its values what a diff would show.
func (r Rules) whole(m map[string]any) any {
	p := &pair{keys: map[string]string{}, keyName: r.Replace}
	return (&object{public: r.Public, replace: func(_, value string) string { return r.hide(value) }}).mask(m, p)
}

func (r Rules) hide(value string) string {
	if value == "" || r.Public(value) {
		return value
	}
	return r.Replace(value)
}

// forms are the forms of values that a table may name.
var forms = map[string]Form{
	"": Word, "name": Name, "id": Identifier, "kind": Kind, "version": Version, "image": Image, "host": Host, "plain": Plain, "address": Address, "hash": Never,
}

// Forms explain the forms to people.
var Forms = map[string]string{
	"": "known words, numbers, versions, times, IP addresses", "name": "names of objects", "id": "names of kinds, fields and roles", "image": "references to images", "kind": "names of kinds", "version": "versions of APIs",
	"host": "host names", "plain": "numbers, switches, times, IP addresses", "address": "URLs without user and query", "hash": "nothing: equal values have equal replacements",
	"labels": "known keys, with values of known words; in labels of nodes, programs and zones also names", "resources": "known keys, with quantities", "text": "known words, and names of objects in the bundle",
	"args": "known flags, with harmless values", "env": "known names, with harmless values", "config": "known keys, with harmless values", "secret": "known keys; default values of Kubeflow",
	"person": "nothing (`--emails` keeps it)",
}

func (r Rules) text(form, field, v string) any {
	if known := forms[form]; known != nil && known(v) {
		return v
	}
	return r.hide(v)
}

// shapes are the forms of whole values.
var shapes = map[string]func(Rules, string, any) any{}

func init() {
	shapes["labels"] = Rules.labels
	shapes["resources"] = Rules.resources
	shapes["text"] = func(r Rules, _ string, v any) any {
		if s, ok := v.(string); ok {
			return Text(s, r.Names, r.Replace)
		}
		return nil
	}
	shapes["person"] = func(r Rules, _ string, v any) any {
		if s, ok := v.(string); ok && !r.Public(s) && s != "" {
			return r.Person(s)
		}
		return v
	}
	shapes["args"] = func(r Rules, _ string, v any) any {
		list, _ := v.([]any)
		return Args(list, func(_ int, value string) string { return r.hide(value) })
	}
	shapes["env"] = Rules.env
	shapes["config"] = func(r Rules, field string, v any) any {
		if s, ok := v.(string); ok {
			return Config(s, field, func(key, value string) bool { return r.Public(value) || Setting(key, value) }, r.hide)
		}
		return nil
	}
	shapes["secret"] = Rules.secret
}
