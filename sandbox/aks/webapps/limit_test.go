package webapps

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestGunicornRejectsLargeHeaders(t *testing.T) {
	app := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, c := range []struct {
		arguments   string
		token, want int
	}{
		{"", 8000, http.StatusOK},
		{"", 9000, http.StatusRequestHeaderFieldsTooLarge},
		{"--limit-request-field_size 32000", 9000, http.StatusOK},
		{"--timeout=30 --limit-request-field_size=32000", 33000, http.StatusRequestHeaderFieldsTooLarge},
		{"--limit-request-field_size 0", 90000, http.StatusOK},
	} {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.Header.Set("Authorization", strings.Repeat("x", c.token))
		response := httptest.NewRecorder()
		Limited(c.arguments, app).ServeHTTP(response, request)
		if response.Code != c.want {
			t.Errorf("%q, a token of %d bytes: %d, want %d", c.arguments, c.token, response.Code, c.want)
		}
	}
}
