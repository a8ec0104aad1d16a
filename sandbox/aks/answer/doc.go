// Package answer speaks for programs that do not run. A Switchboard serves an
// http.Handler on any connection, TLS or not: the first byte that the client
// sends tells. An Authority issues the certificates.
package answer
