package escape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// hostile are texts that steer what shows or runs them.
var hostile = []string{
	"\x1b[2J\x1b[1;1H\x1b]0;title\x07", "\x1b[31mred\x1b[0m", "a\x9b31mb", "\u009b31m", "\x7f\b\r\x00", "line\n✓ all healthy", "\u202eevil\u202c \u2066x\u2069 \u200f\u061c",
	"\u2028next\u2029", "zero\u200bwidth\ufeff", "\xff\xfe broken", "\xe2\x80", "$(touch canary)", "`touch canary`", "; touch canary", "'; touch canary; '", `"$(touch canary)"`,
	"a b", "", "-", "~root", "=x", "*", "{a,b}", "a\\nb", "\\", "!!", "#", "&& touch canary", "| touch canary", "> canary", "$'\\x1b'", "\U000e0001tag", "\ue000", "𝒳", "控制台", "é",
	`\0` + "0000", "\\u202e", "\\x1b", "C1 \u0085 next",
}

func clean(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsGraphic(r) })
}

func TestOnlyOwnSequencesReachTheTerminal(t *testing.T) {
	all := strings.Join(hostile, "") + "\x1b[31;1234567890m" + "\x1b[2A"
	for _, size := range []int{1, 2, 3, 7, len(all)} { // a write may end within a character
		var out bytes.Buffer
		w := Terminal(&out)
		for rest := []byte(all); len(rest) > 0; rest = rest[min(size, len(rest)):] {
			if _, err := w.Write(rest[:min(size, len(rest))]); err != nil {
				t.Fatal(err)
			}
		}
		if !clean(out.String()) || !strings.Contains(out.String(), `\x1b[2J`) || !strings.Contains(out.String(), `\u202e`) || !strings.Contains(out.String(), "控制台") {
			t.Errorf("in writes of %d: %q", size, out.String())
		}
	}
	var out bytes.Buffer
	fmt.Fprint(Terminal(&out), Style("31")+"x\x1b[0m"+Style("0")+Over(12))
	if want := "\x1b[31mx\\x1b[0m\x1b[0m\x1b[12F\x1b[0J"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestDocumentsKeepTheirMeaning(t *testing.T) {
	for _, text := range append(hostile, strings.Join(hostile, "|")) {
		value := map[string]any{"a": text, "list": []any{text, map[string]any{text: "key"}}}
		content, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		var want any
		if err := json.Unmarshal(content, &want); err != nil { // invalid UTF-8 becomes U+FFFD
			t.Fatal(err)
		}
		var fromJSON, fromYAML any
		if escaped := JSON(content); !clean(string(escaped)) || json.Unmarshal(escaped, &fromJSON) != nil || !reflect.DeepEqual(fromJSON, want) {
			t.Errorf("%q as JSON: %s", text, escaped)
		}
		escaped, err := YAML(value)
		if err != nil || !clean(string(escaped)) || yaml.Unmarshal(escaped, &fromYAML) != nil || !reflect.DeepEqual(fromYAML, want) {
			t.Errorf("%q as YAML: %q, %v", text, escaped, err)
		}
	}
	plain, err := YAML(map[string]any{"a": "b", "m": 1, "list": []string{"x\ny\n"}})
	if want := "a: b\nlist:\n- |\n  x\n  y\nm: 1\n"; err != nil || string(plain) != want {
		t.Errorf("%q, %v", plain, err)
	}
}

// TestWordsAreReadByAShellAsTheyWereMeant runs them through the shells there are.
func TestWordsAreReadByAShellAsTheyWereMeant(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "sh"} {
		program, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		folder := t.TempDir()
		for _, text := range hostile {
			if strings.Contains(text, "\x00") || shell == "sh" && strings.HasPrefix(Word(text), "$'") { // no word can hold a NUL; POSIX has no $'...'
				continue
			}
			if !clean(Word(text)) {
				t.Errorf("%q is shown as %q", text, Word(text))
			}
			command := exec.Command(program, "-c", "printf '%s\\037' "+Words("first", text, "last"))
			command.Dir = folder
			got, err := command.Output()
			if want := "first\x1f" + text + "\x1flast\x1f"; err != nil || string(got) != want {
				t.Errorf("%s reads %q as %q, %v", shell, Word(text), got, err)
			}
		}
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("%s made %v in %s", shell, left, filepath.Base(folder))
		}
	}
}

func TestPlainWordsStayAsTheyAre(t *testing.T) {
	for _, word := range []string{"kubeflow", "ml-pipeline", "deployment.apps", "a/b.yaml", "--dir=x", "10.0.0.0/8", "app=ml"} {
		if Word(word) != word {
			t.Errorf("%s becomes %s", word, Word(word))
		}
	}
	if got := Commandf("kubectl get %s -n %s --tail=%d", "pod", "a b", 5); got != "kubectl get pod -n 'a b' --tail=5" {
		t.Error(got)
	}
}

func TestMarkdownMeansNothing(t *testing.T) {
	for text, want := range map[string]string{
		"Deployment kubeflow/mysql is crash-looping (exit code 2, 14 restarts).": "",
		"<img src=x onerror=alert(1)>":                                           "`<img` src=x `onerror=alert(1)>`",
		"[a](https://x)":                                                         "`[a](https://x)`",
		"see www.example.com @user #12 GH-12 a@b.c":                              "see `www.example.com` `@user` `#12` `GH-12` `a@b.c`",
		"`code` ``x``":                                                           "`` `code` `` ``` ``x`` ```",
		"# head":                                                                 "`#` head",
		"- item\n\n## x":                                                         "`-` item `##` x",
		"1. item":                                                                "`1.` item",
		"a|b":                                                                    "`a|b`",
		"commit 0123456789abcdef0123456789abcdef01234567": "commit `0123456789abcdef0123456789abcdef01234567`",
		"\u202ex \x1b[2J": "`\\u202ex` `\\x1b[2J`",
	} {
		if want == "" {
			want = text
		}
		if got := Markdown(text); got != want {
			t.Errorf("%q becomes %s, want %s", text, got, want)
		}
	}
	if got := Block("a\n```\nb"); got != "````\na\n```\nb\n````" {
		t.Errorf("%q", got)
	}
	if got := Cell(Markdown("a|b")); got != "`a\\|b`" {
		t.Errorf("%q", got)
	}
}

func FuzzEscapes(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		w := Terminal(&out)
		_, _ = w.Write([]byte(text))
		_, _ = w.Write([]byte("end\n"))
		content, _ := json.Marshal(text)
		document, err := YAML(map[string]any{text: text})
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{out.String(), string(JSON(content)), string(document), Word(text), Markdown(text), Block(text), Code(text)} {
			if !clean(shown) {
				t.Errorf("%q is shown as %q", text, shown)
			}
		}
		if strings.Contains(Markdown(text)+Code(text), "\n") {
			t.Errorf("%q has several lines", text)
		}
	})
}
