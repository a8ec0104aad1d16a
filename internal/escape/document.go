package escape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	yaml "sigs.k8s.io/yaml/goyaml.v2"
)

// JSON escapes the control characters that a JSON document may hold as they are: those of direction, of format, DEL and C1.
func JSON(document []byte) []byte {
	var out bytes.Buffer
	for len(document) > 0 {
		r, size := utf8.DecodeRune(document)
		switch {
		case !control(r):
			out.Write(document[:size])
		case r < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		}
		document = document[size:]
	}
	return out.Bytes()
}

// YAML returns a value as YAML in which every control character is escaped. The encoder writes some as they are and fails on
// others, so they are replaced before and put back, escaped, after: a NUL makes it use double quotes, where escapes are read.
func YAML(value any) ([]byte, error) {
	document, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return nil, err
	}
	out, err := yaml.Marshal(marked(plain))
	if err != nil {
		return nil, err
	}
	return marks.ReplaceAllFunc(out, func(mark []byte) []byte {
		code, _ := strconv.ParseUint(string(mark[len(mark)-8:len(mark)-2]), 16, 32)
		return []byte(escaped(rune(code)))
	}), nil
}

var marks = regexp.MustCompile(`\\0` + secret + `[0-9a-f]{6}\\0`)

// marked returns a decoded JSON value with marks for control characters, and numbers as the encoder expects them.
func marked(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, field := range value {
			out[mark(key)] = marked(field)
		}
		return out
	case []any:
		for i := range value {
			value[i] = marked(value[i])
		}
	case string:
		return mark(value)
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole
		}
		if number, err := value.Float64(); err == nil {
			return number
		}
	}
	return value
}

func mark(text string) string {
	if !strings.ContainsFunc(text, control) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if control(r) {
			fmt.Fprintf(&out, "\x00%s%06x\x00", secret, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func control(r rune) bool { return r != '\n' && r != '\t' && !printable(r) }
