package escape

import (
	"regexp"
	"strings"
)

// Markdown returns text as one line of Markdown in which nothing has a meaning: no HTML, link, image, heading, mention or
// reference. A backslash does not keep GitHub from linking @names and #numbers, so a word that could mean something becomes code.
func Markdown(text string) string {
	words := strings.Fields(terminalText(text))
	for i, word := range words {
		// underscores within a word mean nothing
		inner := strings.ReplaceAll(word, "_", "")
		if strings.HasPrefix(word, "_") || strings.HasSuffix(word, "_") {
			inner = word
		}
		if !plainWord.MatchString(inner) || meaning.MatchString(word) {
			words[i] = Code(word)
		}
	}
	return strings.Join(words, " ")
}

var (
	// plainWord is a word without characters that Markdown or GitHub interprets.
	plainWord = regexp.MustCompile(`^[\p{L}\p{M}\p{N}.,:;()'"/%=?+−–—…✓✗·→-]+$`)
	// meaning matches plain words that mean something nevertheless: links, references to issues and commits, and at the
	// beginning of a line lists and rules.
	meaning = regexp.MustCompile(`(?i)://|www\.|mailto:|xmpp:|gh-\d|^[-+=]+$|^\d+[.)]$|^[0-9a-f]{7,64}$`)
)

// Code returns text as code in one line of Markdown.
func Code(text string) string {
	text = terminalText(strings.Join(strings.Fields(text), " "))
	fence := strings.Repeat("`", longestRun(text)+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") || text == "" {
		text = " " + text + " "
	}
	return fence + text + fence
}

// Cell returns Markdown for a cell of a table, where also code ends at a bar.
func Cell(markdown string) string {
	return strings.NewReplacer(`|`, `\|`, "\n", " ").Replace(markdown)
}

// Block returns text as a block of code.
func Block(text string) string {
	fence := strings.Repeat("`", max(3, longestRun(text)+1))
	return fence + "\n" + terminalText(text) + "\n" + fence
}

func longestRun(text string) int {
	longest, run := 0, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// terminalText escapes control characters before a text is split into words: some of them are spaces.
func terminalText(text string) string { return string(neutral([]byte(text))) }
