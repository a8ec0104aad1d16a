package kube

import (
	"testing"
	"time"
)

// FuzzTexts reads what others name: images, and the messages of controllers.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{"", "a/b:c@sha256:d", "::::", "@", "admission webhook \"a\" denied the request: x", "is invalid: [a.b: Invalid value: \"x\": y, c: z]", "/////"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		began := time.Now()
		_, _, _ = ParseImage(text), Cause(text), RejectsForGood(text)
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("%d bytes took %s", len(text), took)
		}
	})
}
