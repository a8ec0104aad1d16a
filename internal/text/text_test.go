package text

import (
	"slices"
	"strings"
	"testing"
)

func TestANumberComesWithTheRightFormOfItsNoun(t *testing.T) {
	for _, c := range []struct {
		n    int
		noun string
		want string
	}{
		{0, "pod", "0 pods"},
		{1, "pod", "1 pod"},
		{3, "pod", "3 pods"},
		{2, "policy", "2 policies"},
		{2, "gateway", "2 gateways"},
		{2, "storage class", "2 storage classes"},
		{2, "switch", "2 switches"},
	} {
		if got := Plural(c.n, c.noun); got != c.want {
			t.Errorf("Plural(%d, %q) = %q, want %q", c.n, c.noun, got, c.want)
		}
	}
}

func TestAVerbAgreesWithItsNumber(t *testing.T) {
	for n, want := range map[int]string{0: "are", 1: "is", 2: "are"} {
		if got := Verb(n, "is", "are"); got != want {
			t.Errorf("Verb(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestAListNamesTheFirstAndCountsTheOthers(t *testing.T) {
	for _, c := range []struct{ words, want string }{
		{"", ""},
		{"a", "a"},
		{"a b", "a and b"},
		{"a b c", "a, b and c"},
		{"a b c d", "a, b, c and d"}, // never "and 1 more"
		{"a b c d e", "a, b, c and 2 more"},
	} {
		if got := List(strings.Fields(c.words), 3); got != c.want {
			t.Errorf("List(%q, 3) = %q, want %q", c.words, got, c.want)
		}
		if got := Names(strings.Fields(c.words), 3, strings.ToUpper); got != Names(strings.Fields(strings.ToUpper(c.words)), 3, strings.Clone) {
			t.Errorf("Names(%q, 3) = %q", c.words, got)
		}
	}
}

func TestLinesBeyondTheLimitAreCounted(t *testing.T) {
	lines := []string{"a", "b", "c", "d"}
	if got, want := Lines(lines, 2), []string{"a", "b", "and 2 more"}; !slices.Equal(got, want) {
		t.Errorf("Lines = %q, want %q", got, want)
	}
	if got := Lines(lines, 4); !slices.Equal(got, lines) {
		t.Errorf("Lines = %q, want all", got)
	}
	if lines[2] != "c" {
		t.Errorf("Lines changed its argument: %q", lines)
	}
}
