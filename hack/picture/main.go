// Command picture draws what a terminal shows as SVG: "tmux capture-pane -ep | picture TITLE > FILE".
package main

import (
	"bufio"
	"fmt"
	"html"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	cell, line  = 8.4, 18.0 // of a 14 px monospace letter
	left, above = 14.0, 44.0
	background  = "#1b1f24"
	foreground  = "#d7dce2"
)

// colours are the eight of a terminal, by the last digit of their code.
var colours = []string{"#5c6370", "#ff6b6b", "#7bc275", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", foreground}

var escape = regexp.MustCompile("\x1b\\[([0-9;]*)m")

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: picture TITLE < what tmux capture-pane -ep shows")
		os.Exit(2)
	}
	var rows []string
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		rows = append(rows, strings.TrimRight(in.Text(), " "))
	}
	for len(rows) > 0 && rows[len(rows)-1] == "" {
		rows = rows[:len(rows)-1]
	}
	width := 60
	for _, row := range rows {
		width = max(width, utf8.RuneCountInString(escape.ReplaceAllString(row, "")))
	}
	w, h := 2*left+cell*float64(width), above+line*float64(len(rows))+8
	fmt.Printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img">`+"\n", w, h, w, h)
	fmt.Printf("<title>%s</title>\n", html.EscapeString(os.Args[1]))
	fmt.Printf(`<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", background)
	for i, colour := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Printf(`<circle cx="%d" cy="16" r="5.5" fill="%s"/>`+"\n", 20+18*i, colour)
	}
	fmt.Printf(`<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" fill="%s">`+"\n", foreground)
	var ink pen
	for i, row := range rows {
		if row != "" {
			fmt.Printf(`<text x="%.1f" y="%.1f">%s</text>`+"\n", left, above+line*float64(i), ink.spans(row))
		}
	}
	fmt.Println("</g>\n</svg>")
}

// A pen is how letters look from here on, into the next rows as well.
type pen struct {
	bold, dim bool
	colour    string
}

// spans returns a row with its colours as tspans, each at its own column so that every font keeps them in line.
func (p *pen) spans(row string) string {
	var out strings.Builder
	column := 0
	write := func(text string) {
		if text != "" {
			fmt.Fprintf(&out, `<tspan x="%.1f"%s>%s</tspan>`, left+cell*float64(column), p.attributes(), strings.ReplaceAll(html.EscapeString(text), " ", "\u00a0"))
			column += utf8.RuneCountInString(text)
		}
	}
	at := 0
	for _, match := range escape.FindAllStringSubmatchIndex(row, -1) {
		write(row[at:match[0]])
		p.follow(row[match[2]:match[3]])
		at = match[1]
	}
	write(row[at:])
	return out.String()
}

// follow does what an escape's codes say.
func (p *pen) follow(codes string) {
	for code := range strings.SplitSeq(codes, ";") {
		switch {
		case code == "" || code == "0":
			*p = pen{}
		case code == "1":
			p.bold = true
		case code == "2":
			p.dim = true
		case code == "22":
			p.bold, p.dim = false, false
		case code == "39":
			p.colour = ""
		case len(code) == 2 && (code[0] == '3' || code[0] == '9') && code[1] <= '7':
			p.colour = colours[code[1]-'0']
		}
	}
}

func (p *pen) attributes() string {
	text := ""
	if p.bold {
		text += ` font-weight="bold"`
	}
	if p.dim {
		text += ` fill-opacity="0.6"`
	}
	if p.colour != "" {
		text += fmt.Sprintf(` fill="%s"`, p.colour)
	}
	return text
}
