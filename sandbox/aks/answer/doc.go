// Package answer responds in place of programs that do not run. A Switchboard
// serves an http.Handler on any connection, with or without TLS, which it detects
// from the client's first byte. An Authority issues the certificates.
package answer
