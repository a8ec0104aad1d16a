package redact

import (
	"regexp"
	"strings"
)

// Config returns a configuration file, in YAML, JSON, INI, TOML or properties, in which only known keys and harmless values are
// left. It works line by line, and never shows a line that it does not understand, so the format need not be known.
// keep decides about a value by its key; nil keeps what [Setting] says.
func Config(text, key string, keep func(key, value string) bool, replace Replace) string {
	if keep == nil {
		keep = Setting
	}
	c := &config{keep: keep, replace: replace, keys: []level{{indent: -1, key: key, secret: IsCredential(key)}}}
	lines := strings.Split(text, "\n")
	if len(lines) == 1 && !looksLikeConfig(text) {
		return c.value(key, text, c.keys[0].secret)
	}
	c.keys[0].key = "" // what follows has keys of its own
	for i, line := range lines {
		lines[i] = c.line(line)
	}
	return strings.Join(lines, "\n")
}

func looksLikeConfig(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") || assignment.MatchString(s)
}

// A config is the state of reading a file.
type config struct {
	keep    func(key, value string) bool
	replace Replace
	keys    []level // the keys that enclose the line, the outermost first
	quote   string  // the quote that an earlier line opened
	flow    *flow   // the brackets that an earlier line opened
}

// A level is a key that holds the lines which are indented more.
type level struct {
	indent int
	key    string
	secret bool
	ref    bool   // a reference to a Secret, whose name is no credential: "accessKeySecret: {name: store, key: accesskey}"
	named  string // the last name in this list: what "value" is the value of
}

var (
	assignment = regexp.MustCompile(`^("[^"]*"|'[^']*'|[^\s:=#,\[\]{}"']+)(\s*=\s*|\s*:(?:\s+|$))`)
	onlySigns  = regexp.MustCompile(`^[\s{}\[\](),;.-]*$`)
	section    = regexp.MustCompile(`^\[+[\w .-]+\]+$`)
	comment    = regexp.MustCompile(`^(#|;|//)`)
	opensBlock = regexp.MustCompile(`^[|>][-+0-9]*$`)
)

func (c *config) line(line string) string {
	body := strings.TrimLeft(line, " \t")
	indent := len(line) - len(body)
	switch {
	case c.quote != "":
		return c.continued(line[:indent], body)
	case c.flow != nil:
		return line[:indent] + c.inFlow(body)
	case onlySigns.MatchString(body):
		return line
	case comment.MatchString(body):
		return line[:indent] + Text(body, nil, c.replace)
	case section.MatchString(body) && Known(body):
		c.keys = c.keys[:1]
		return line
	}
	item := false
	for strings.HasPrefix(body, "- ") {
		item = true
		trimmed := strings.TrimLeft(body[1:], " ")
		indent += len(body) - len(trimmed)
		body = trimmed
	}
	c.leave(indent, item)
	return line[:len(line)-len(body)] + c.entry(indent, body)
}

// leave drops the keys that do not enclose a line.
func (c *config) leave(indent int, item bool) {
	for len(c.keys) > 1 && c.keys[len(c.keys)-1].indent >= indent {
		c.keys = c.keys[:len(c.keys)-1]
	}
	if item {
		c.keys[len(c.keys)-1].named = ""
	}
}

// entry judges "key: value", "key = value", or a value alone.
func (c *config) entry(indent int, body string) string {
	in := &c.keys[len(c.keys)-1]
	if strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
		return c.startFlow(in.key, in.secret, body)
	}
	found := assignment.FindStringSubmatch(body)
	if found == nil {
		value, end := withoutComment(body)
		if len(c.keys) == 1 && in.key == "" || strings.ContainsAny(value, " \t") {
			return c.hide(value) + c.comment(end)
		}
		return c.scalar(in.key, value, in.secret) + c.comment(end)
	}
	key, value := unquoted(found[1]), body[len(found[0]):]
	within := in.within(key)
	secret := within || IsCredential(key)
	head := found[1]
	if !Known(key) {
		head = c.replace(key)
	}
	head += found[2]
	value, end := withoutComment(value)
	switch {
	case value == "" || opensBlock.MatchString(value):
		c.keys = append(c.keys, below(indent, key, within))
	case value[0] == '{' || value[0] == '[':
		value = c.startFlow(key, within, value)
	default:
		if key == "name" || key == "key" {
			in.named = unquoted(value)
		}
		value = c.scalar(key, value, secret)
		c.keys = append(c.keys, level{indent: indent, key: key, secret: true}) // what continues the value on the next lines
	}
	return head + value + c.comment(end)
}

// below returns the level of what a key holds, within a credential or not.
func below(indent int, key string, within bool) level {
	return level{indent: indent, key: key, secret: within || IsCredential(key), ref: !within && secretRef.MatchString(key)}
}

// secretRef matches the keys below which Kubernetes' programs name a Secret and one of its keys.
var secretRef = regexp.MustCompile(`^[a-zA-Z]*[a-z]Secret$`)

// within reports whether the value of a key is a part of a credential, whatever the key is.
func (l level) within(key string) bool {
	if key == "value" || key == "values" {
		return l.secret || IsCredential(l.named)
	}
	return l.secret && !(l.ref && key == "name")
}

// scalar judges a value with its quotes, and what follows it.
func (c *config) scalar(key, value string, secret bool) string {
	core := strings.TrimRight(value, ", \t")
	after := value[len(core):]
	if core == "" {
		return value
	}
	if q := core[:1]; q == `"` || q == "'" {
		if len(core) == 1 || !strings.HasSuffix(core, q) || strings.HasSuffix(core, `\"`) {
			c.quote = q
			return q + c.replace(core[1:])
		}
		return q + c.value(key, core[1:len(core)-1], secret) + q + after
	}
	return c.value(key, core, secret) + after
}

func (c *config) value(key, value string, secret bool) string {
	if value == "" || !secret && c.keep(key, value) {
		return value
	}
	return c.replace(value)
}

// continued hides the next line of a quoted value.
func (c *config) continued(indent, body string) string {
	if body == "" {
		return indent
	}
	end := strings.TrimRight(body, ", \t}])")
	if strings.HasSuffix(end, c.quote) && !strings.HasSuffix(end, `\"`) {
		closing := c.quote
		c.quote = ""
		if end == closing {
			return indent + body
		}
		return indent + c.replace(strings.TrimSuffix(end, closing)) + closing + body[len(end):]
	}
	return indent + c.replace(body)
}

func (c *config) hide(value string) string {
	if value == "" || Plain(value) {
		return value
	}
	return c.replace(value)
}

func (c *config) comment(s string) string {
	if s == "" {
		return ""
	}
	return Text(s, nil, c.replace)
}

// withoutComment splits a comment off the end of a value.
func withoutComment(value string) (string, string) {
	quote := byte(0)
	for i := range len(value) {
		switch b := value[i]; {
		case quote != 0 && b == quote:
			quote = 0
		case quote == 0 && (b == '"' || b == '\'') && (i == 0 || strings.IndexByte(" :=,{[", value[i-1]) >= 0):
			quote = b
		case quote == 0 && b == '#' && (i == 0 || value[i-1] == ' ' || value[i-1] == '\t'):
			core := strings.TrimRight(value[:i], " \t")
			return core, value[len(core):]
		}
	}
	core := strings.TrimRight(value, " \t\r")
	return core, value[len(core):]
}

func unquoted(s string) string { return strings.Trim(s, `"'`) }
