// Package escape makes text that others wrote harmless where it is shown: names, annotations, messages, events, log lines.
//
// [Terminal] is the writer in front of a terminal or pipe: it shows every control character as \x1b, so nothing that others
// wrote can move the cursor, colour text or reverse its direction; only this program's own [Style] passes. [Line] keeps a text
// in one line. [Markdown] is for text in Markdown, [Word] and [Commandf] for commands that a person copies into a shell, and
// [JSON] and [YAML] for documents. What is known to be harmless is kept, and everything else is escaped.
package escape
