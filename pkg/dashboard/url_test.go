package dashboard

import (
	"testing"
)

func TestURLsHaveAPortOnlyWhereTheyNeedIt(t *testing.T) {
	for want, got := range map[string]string{
		"http://20.1.2.3/":         URLFor("20.1.2.3", 80, false),
		"http://20.1.2.3:8080/":    URLFor("20.1.2.3", 8080, false),
		"https://example.com/":     URLFor("example.com", 443, true),
		"https://example.com:80/":  URLFor("example.com", 80, true),
		"http://[2001:db8::1]/":    URLFor("2001:db8::1", 80, false),
		"http://[2001:db8::1]:81/": URLFor("2001:db8::1", 81, false),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
