package faultproxy

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// reasons are what API servers give with a code.
var reasons = map[int]metav1.StatusReason{
	401: metav1.StatusReasonUnauthorized, 403: metav1.StatusReasonForbidden, 429: metav1.StatusReasonTooManyRequests,
	500: metav1.StatusReasonInternalError, 503: metav1.StatusReasonServiceUnavailable, 504: metav1.StatusReasonTimeout,
}

// Answer is a refusal as API servers write them.
func Answer(code int, message string) Fault { return answer(code, message, 0) }

// AnswerLater is one that says after how many seconds to come back.
func AnswerLater(code int, message string, seconds int) Fault { return answer(code, message, seconds) }

func answer(code int, message string, seconds int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		status := metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
			Code: int32(code), Reason: reasons[code], Message: message,
		}
		if seconds > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(seconds))
			status.Details = &metav1.StatusDetails{RetryAfterSeconds: int32(seconds)}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(status)
	}
}

// Garbage answers with a page that is not of the API, as a proxy or a firewall on the way does.
func Garbage(code int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(code)
		_, _ = w.Write([]byte("<html><body>Please sign in to the network</body></html>"))
	}
}

// NotJSON lets the server do what it is asked, and spoils the answer.
func NotJSON(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	pass.ServeHTTP(httptest.NewRecorder(), r)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"apiVersion": "v1", "kind`))
}

// Reset breaks the connection before the server hears of the request.
func Reset(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// ResetMidway lets the server do what it is asked, and breaks the connection in the middle of the answer.
func ResetMidway(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	recorder := httptest.NewRecorder()
	pass.ServeHTTP(recorder, r)
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	body := recorder.Body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// Slow keeps the request for a while first.
func Slow(d time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		select {
		case <-time.After(d):
			pass.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}
}

// Drop breaks a watch after so many bytes.
func Drop(after int) Fault {
	return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		pass.ServeHTTP(&shortWriter{w, after}, r)
	}
}

type shortWriter struct {
	http.ResponseWriter
	left int
}

func (s *shortWriter) Write(b []byte) (int, error) {
	if s.left -= len(b); s.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return s.ResponseWriter.Write(b)
}

func (s *shortWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Expired ends a watch with the event that says its place in history is gone.
func Expired(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	const event = `{"type":"ERROR","object":{"apiVersion":"v1","kind":"Status","status":"Failure","code":410,"reason":"Expired","message":"too old resource version"}}` + "\n"
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(event))
}

// Then lets the server answer and calls back afterwards, before anybody hears the answer.
func Then(do func()) Fault {
	return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		recorder := httptest.NewRecorder()
		pass.ServeHTTP(recorder, r)
		do()
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(recorder.Body.Bytes())
	}
}
