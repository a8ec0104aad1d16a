// Package tls gives the gateway a certificate, and HTTPS.
//
// [Read] adds to an expose.Target what decides about its certificate, [NewPlan] decides what to change, and the result is a [Plan]:
// what issues the certificate, and what serves it once it exists. [Secure] applies a plan when the address is known, within what
// the user agreed to.
//
// To add a source of certificates, copy issue.go: add a constant to expose.TLS, a case to [NewPlan], and a function that plans the
// objects that issue it.
package tls
