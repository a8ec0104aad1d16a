package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// A Problem is an error that a person can act on: one sentence of what happened, one of what to do next.
type Problem struct {
	What string // "the cluster does not answer at https://…"
	Next string // "Check the current context with: kubectl config current-context"
	Err  error  // what it comes from; may be nil
}

func (p *Problem) Error() string { return p.What }

func (p *Problem) Unwrap() error { return p.Err }

// Transient tells whether the same request may well succeed a little later:
// too many requests, a server error (a webhook that does not answer is one), a timeout, a conflict, a lost connection.
func Transient(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		code := status.Status().Code
		return code >= http.StatusInternalServerError || code == http.StatusTooManyRequests ||
			code == http.StatusConflict && !apierrors.IsAlreadyExists(err) || apierrors.IsTimeout(err)
	}
	var unanswered *url.Error // no answer came at all: refused, reset, timed out, or closed on this side
	return errors.As(err, &unanswered) && !hopeless(err) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// hopeless tells whether a connection fails for a reason that does not pass: a certificate, a name that is nobody's.
func hopeless(err error) bool {
	var certificate *tls.CertificateVerificationError
	var name *net.DNSError
	return errors.As(err, &certificate) || errors.As(err, &name) && name.IsNotFound
}
