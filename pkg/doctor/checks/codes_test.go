package checks

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const codesFile = "../codes.txt"

// TestEveryCheckHasACodeOfItsOwn holds codes.txt to what other programs rely on: a code means one check for ever. -update adds the codes of new
// checks at the end. A line that is removed leaves a gap, which fails.
func TestEveryCheckHasACodeOfItsOwn(t *testing.T) {
	content, err := os.ReadFile(codesFile)
	if err != nil {
		t.Fatal(err)
	}
	known, n := map[string]bool{}, 0
	for line := range strings.Lines(string(content)) {
		n++
		code, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		if want := codeNumber(n); code != want {
			t.Errorf("line %d of codes.txt has code %s, want %s: lines are only added at the end", n, code, want)
		}
		if known[id] {
			t.Errorf("%s has two codes", id)
		}
		known[id] = true
	}
	added := ""
	for _, c := range Every() {
		if known[c.ID] {
			continue
		}
		n++
		added += codeNumber(n) + " " + c.ID + "\n"
		if !*update {
			t.Errorf("%s has no code; make golden adds %s", c.ID, codeNumber(n))
		}
	}
	if *update && added != "" {
		if err := os.WriteFile(codesFile, append(content, added...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func codeNumber(n int) string { return fmt.Sprintf("KF%d", 1000+n) }
