package redact

import "strings"

// A flow is the state of reading values in brackets: JSON, and YAML's flow style.
type flow struct {
	open []level // the brackets that are open, the outermost first
	key  string  // the key that the next value is of
	last byte    // the last sign
}

func (c *config) startFlow(key string, secret bool, body string) string {
	c.flow = &flow{key: key, open: []level{{key: key, secret: secret}}}
	return c.inFlow(body)
}

// inFlow judges a line, or the rest of one, within brackets.
func (c *config) inFlow(body string) string {
	var out strings.Builder
	for len(body) > 0 && c.flow != nil {
		switch b := body[0]; {
		case b == ' ' || b == '\t' || b == '\r':
			out.WriteByte(b)
			body = body[1:]
		case b == '#':
			out.WriteString(Text(body, nil, c.replace))
			return out.String()
		case strings.IndexByte("{}[],:", b) >= 0:
			out.WriteByte(b)
			body = body[1:]
			c.sign(b)
		default:
			n, quote := scalarLength(body)
			out.WriteString(c.flowScalar(body[:n], quote, body[n:]))
			body = body[n:]
		}
	}
	if strings.TrimSpace(body) == "" {
		return out.String() + body
	}
	value, end := withoutComment(body)
	return out.String() + c.hide(value) + c.comment(end)
}

func (c *config) sign(b byte) {
	f := c.flow
	top := f.open[len(f.open)-1]
	switch f.last = b; b {
	case '{', '[':
		f.open = append(f.open, below(0, f.key, top.secret))
	case '}', ']':
		f.open = f.open[:len(f.open)-1]
		if len(f.open) <= 1 {
			c.flow = nil
		}
	case ',':
		f.key = top.key
	}
}

// flowScalar judges a key or a value.
func (c *config) flowScalar(text string, quote byte, rest string) string {
	f := c.flow
	top := &f.open[len(f.open)-1]
	inner, before, after := text, "", ""
	if quote != 0 {
		inner, before = text[1:], string(quote)
		if strings.HasSuffix(inner, before) && inner != "" {
			inner, after = inner[:len(inner)-1], before
		} else {
			c.quote = before // it goes on in the next line
		}
	}
	if next := strings.TrimLeft(rest, " \t"); strings.HasPrefix(next, ":") && c.quote == "" {
		f.key = inner
		if !Known(inner) {
			inner = c.replace(inner)
		}
		return before + inner + after
	}
	secret := top.within(f.key) || IsCredential(f.key)
	if f.key == "name" || f.key == "key" {
		top.named = inner
	}
	if quote != 0 && (strings.HasPrefix(strings.TrimSpace(inner), "{") || strings.Contains(inner, `\n`)) {
		return before + c.replace(inner) + after // a document within a string
	}
	return before + c.value(f.key, inner, secret || c.quote != "") + after
}

// scalarLength returns the length of the scalar at the start of a text, and its quote.
func scalarLength(s string) (int, byte) {
	if q := s[0]; q == '"' || q == '\'' {
		for i := 1; i < len(s); i++ {
			if q == '"' && s[i] == '\\' {
				i++
			} else if s[i] == q {
				return i + 1, q
			}
		}
		return len(s), q
	}
	for i := range len(s) {
		if strings.IndexByte("{}[],", s[i]) >= 0 || s[i] == ':' && (i+1 == len(s) || s[i+1] == ' ') || s[i] == '#' && i > 0 && s[i-1] == ' ' {
			return len(strings.TrimRight(s[:i], " ")), 0
		}
	}
	return len(strings.TrimRight(s, " \t\r")), 0
}
