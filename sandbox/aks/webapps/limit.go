package webapps

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// gunicorn's limit of a header field, if GUNICORN_CMD_ARGS sets no other.
const fieldSize = 8190

// Limited serves a web app behind gunicorn, which rejects a request with a header field that is too large: a token with many groups
// is one. arguments are the pod's GUNICORN_CMD_ARGS.
func Limited(arguments string, app http.Handler) http.Handler {
	limit := limitOf(arguments)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			for _, value := range values {
				if size := len(name) + len(": ") + len(value); limit > 0 && size > limit {
					http.Error(w, fmt.Sprintf("<html><head><title>Bad Request</title></head><body><h1><p>Bad Request</p></h1>Error parsing headers: limit request headers fields size (%d)</body></html>", size), http.StatusRequestHeaderFieldsTooLarge)
					return
				}
			}
		}
		app.ServeHTTP(w, r)
	})
}

// limitOf returns the limit of gunicorn's command line, 0 for none.
func limitOf(arguments string) int {
	const flag = "--limit-request-field_size"
	words := strings.Fields(strings.ReplaceAll(arguments, flag+"=", flag+" "))
	for i, word := range words {
		if word == flag && i+1 < len(words) {
			if limit, err := strconv.Atoi(words[i+1]); err == nil {
				return limit
			}
		}
	}
	return fieldSize
}
