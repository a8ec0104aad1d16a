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
	for i, row := range rows {
		if row != "" {
			fmt.Printf(`<text x="%.1f" y="%.1f">%s</text>`+"\n", left, above+line*float64(i), spans(row))
		}
	}
	fmt.Println("</g>\n</svg>")
}

// spans returns a row with its colours as tspans, each at its own column so that every font keeps them in line.
func spans(row string) string {
	var out strings.Builder
	style, column := "", 0
	write := func(text string) {
		if text != "" {
			fmt.Fprintf(&out, `<tspan x="%.1f"%s>%s</tspan>`, left+cell*float64(column), style, strings.ReplaceAll(html.EscapeString(text), " ", "\u00a0"))
			column += utf8.RuneCountInString(text)
		}
	}
	at := 0
	for _, match := range escape.FindAllStringSubmatchIndex(row, -1) {
		write(row[at:match[0]])
		style, at = styled(style, row[match[2]:match[3]]), match[1]
	}
	write(row[at:])
	return out.String()
}

// styled returns the attributes after an escape's codes.
func styled(style, codes string) string {
	for code := range strings.SplitSeq(codes, ";") {
		switch {
		case code == "" || code == "0" || code == "39":
			style = ""
		case code == "1":
			style += ` font-weight="bold"`
		case code == "2":
			style += ` fill-opacity="0.6"`
		case len(code) == 2 && (code[0] == '3' || code[0] == '9') && code[1] <= '7':
			style += fmt.Sprintf(` fill="%s"`, colours[code[1]-'0'])
		}
	}
	return style
}
