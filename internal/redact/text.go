package redact

import (
	"regexp"
	"strings"
)

// A Replace returns what stands for a value that may not be read.
type Replace func(value string) string

// Masked is the usual replacement.
const Masked = "***"

// Mask replaces every value alike.
func Mask(string) string { return Masked }

var (
	chunk     = regexp.MustCompile(`\S+`)
	piece     = regexp.MustCompile("[^=:,;\"'`()\\[\\]{}<>|&?\\\\]+")
	edges     = ".,;:!?\"'`()[]{}<>"
	nextWord  = regexp.MustCompile(`(?i)^(bearer|basic|digest|negotiate|apikey)$`)
	assigning = regexp.MustCompile(`[:=]`)
)

// Text returns a message or log in which every word is replaced that is neither known nor one of the names: those of objects,
// images and hosts that are shown anyway. What is assigned to a credential is replaced, whatever it is.
func Text(text string, names func(string) bool, replace Replace) string {
	if names == nil {
		names = func(string) bool { return false }
	}
	t := &textScanner{names: names, replace: replace}
	return chunk.ReplaceAllStringFunc(text, t.chunk)
}

type textScanner struct {
	names   func(string) bool
	replace Replace
	secret  bool // the next piece is a credential
}

// chunk judges what stands between two spaces.
func (t *textScanner) chunk(s string) string {
	body := strings.Trim(s, edges)
	if !t.secret && (strings.Contains("DEFIW", s) && len(s) == 1 || t.harmless(body) && !assigning.MatchString(body) || Plain(body) || t.names(body)) {
		t.secret = nextWord.MatchString(body) || IsCredential(body) && (strings.HasPrefix(body, "-") || strings.ContainsAny(strings.TrimRight(s, "\"'`"), ":=") && strings.LastIndexAny(s, ":=") > strings.LastIndex(s, body))
		return s
	}
	return t.pieces(s)
}

// pieces judges the parts of a word such as key=value or {"key":"value"}.
func (t *textScanner) pieces(s string) string {
	var out strings.Builder
	last := 0
	for _, at := range piece.FindAllStringIndex(s, -1) {
		between, part := s[last:at[0]], s[at[0]:at[1]]
		out.WriteString(between)
		last = at[1]
		switch {
		case t.secret:
			out.WriteString(t.replace(part))
			t.secret = nextWord.MatchString(part) // "Authorization: Bearer …"
			continue
		case t.harmless(part):
			out.WriteString(part)
		default:
			out.WriteString(t.replace(part))
		}
		rest := s[last:]
		t.secret = nextWord.MatchString(part) || IsCredential(part) && (assigning.MatchString(separators(rest)) || strings.HasPrefix(part, "-"))
	}
	return out.String() + s[last:]
}

// separators returns what stands before the next piece.
func separators(rest string) string {
	if at := piece.FindStringIndex(rest); at != nil {
		return rest[:at[0]]
	}
	return rest
}

func (t *textScanner) harmless(s string) bool {
	s = strings.Trim(s, edges)
	return Word(s) || t.names(s)
}
