package bounded

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

// TestAnchorsAreFoundAsAPatternFindsThem compares the scan with the pattern that defines where an anchor can begin.
func TestAnchorsAreFoundAsAPatternFindsThem(t *testing.T) {
	pattern := regexp.MustCompile(`(^|[\s\[{,:?-])&[^\s&,\[\]{}]`)
	random, found := rand.New(rand.NewPCG(3, 4)), 0
	const letters = "&& ab:-,[{}]?\n\t\r\f\xff"
	for range 200_000 {
		text := make([]byte, random.IntN(7))
		for i := range text {
			text[i] = letters[random.IntN(len(letters))]
		}
		want := pattern.Match(text)
		if got := anchored(text); got != want {
			t.Fatalf("%q: %t, want %t", text, got, want)
		}
		if want {
			found++
		}
	}
	if found < 1000 {
		t.Errorf("only %d of the texts had an anchor", found)
	}
}
