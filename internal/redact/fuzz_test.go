package redact

import (
	"strings"
	"testing"
	"time"
)

// FuzzTexts puts a secret between two texts, as a log line or a file that others wrote may: it is never readable after that.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{"password=", "Authorization: Bearer ", "{\"a\":\"", "a: |\n  ", "https://u:", "--x=", "a: {b: ", "- '", "[db]\nx = ", "", "\x00", "é漢", "key: \"\\", "a:\n- b: >-\n    "} {
		f.Add(seed, "")
		f.Add(seed, "\"}")
		f.Add(seed, "@host/x?sig=y")
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		if len(before)+len(after) > 1<<16 {
			t.Skip("long texts take long")
		}
		for _, space := range []string{" ", "\n", "\"", "="} {
			text := before + space + planted + space + after
			began := time.Now()
			for name, masked := range map[string]string{
				"Text": Text(text, nil, Mask), "Config": Config(text, "data", nil, Mask), "Message": Message(text), "Pointer": Pointer("/data/" + text), "Log": strings.Join(Log(text, 1<<20), "\n"),
			} {
				if strings.Contains(masked, planted) && name != "Message" {
					t.Errorf("%s of %q is %q", name, text, masked)
				}
			}
			_, _, _ = URL(text), URLs(text), Stored(text)
			if took := time.Since(began); took > 5*time.Second {
				t.Fatalf("%d bytes took %s", len(text), took)
			}
		}
	})
}
