package images

import (
	"fmt"
	"regexp"
	"strings"
)

// A Rule replaces images.
type Rule struct {
	// From is a repository, a registry or a path in one ("gcr.io/ml-pipeline"), with everything below it; one tag of a
	// repository ("busybox:latest"); or, with a "/" at its end, only what is below it.
	From string
	// To replaces From, and what follows is kept: path, tag and digest. If To has a tag, it replaces them too.
	To string
}

// Parse reads FROM=TO.
func Parse(text string) (Rule, error) {
	from, to, found := strings.Cut(text, "=")
	r := Rule{From: strings.TrimSuffix(from, "/"), To: strings.TrimSuffix(to, "/")}
	if !found || !shape.MatchString(r.From) || !shape.MatchString(r.To) {
		return r, fmt.Errorf("%q is not FROM=TO, such as gcr.io/ml-pipeline=registry.example.com/ml-pipeline", text)
	}
	return r, nil
}

// shape matches a reference to an image, or the beginning of one.
var shape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(:[0-9]+)?(/[A-Za-z0-9._-]+)*(:[A-Za-z0-9._-]+)?$`)

// rest matches what may follow From: path, tag, digest.
var rest = regexp.MustCompile(`^(/[A-Za-z0-9._/-]*[A-Za-z0-9_])?(:[A-Za-z0-9_][A-Za-z0-9._-]*)?(@sha256:[0-9a-f]+)?`)

// match returns the image at the beginning of a text, if the rule matches it.
func (r Rule) match(text string) (image string, ok bool) {
	base := strings.TrimSuffix(r.From, "/")
	if base == "" || !strings.HasPrefix(text, base) {
		return "", false
	}
	tail := rest.FindString(text[len(base):])
	following := text[len(base)+len(tail):]
	switch {
	case following != "" && partOfName(following[0]): // the name continues: another image with this prefix
		return "", false
	case base != r.From && !strings.HasPrefix(tail, "/"):
		return "", false
	case tagged(base) && tail != "" && !strings.HasPrefix(tail, "@"):
		return "", false
	}
	return base + tail, true
}

// replace returns the replacement of an image that the rule matches.
func (r Rule) replace(image string) string {
	base, to := strings.TrimSuffix(r.From, "/"), strings.TrimSuffix(r.To, "/")
	if to == "" {
		return image
	}
	tail := image[len(base):]
	if tagged(to) && !strings.HasPrefix(tail, "/") {
		return to
	}
	return to + tail
}

// tagged reports whether a reference ends in a tag.
func tagged(image string) bool {
	return strings.LastIndex(image, ":") > strings.LastIndex(image, "/") && strings.Contains(image, "/") || isBare(image)
}

// isBare reports whether a reference is a tag of a repository without a path: "busybox:latest".
func isBare(image string) bool {
	name, tag, found := strings.Cut(image, ":")
	return found && !strings.Contains(image, "/") && !strings.Contains(name, ".") && tag != ""
}

// isWord reports whether From is a plain word with other meanings: "mysql" is also a host, a database and a label.
func (r Rule) isWord() bool { return !strings.ContainsAny(r.From, "/:.") }

func partOfName(c byte) bool {
	return c == '-' || c == '_' || c == '/' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
