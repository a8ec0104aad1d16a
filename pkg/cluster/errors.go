package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Transient reports whether the same request may well succeed a little later:
// too many requests, a server error (a webhook that does not answer is one), a timeout, a conflict, a lost connection.
// A name that nobody knows is none: see [Client.Transient] for a server that has answered before.
func Transient(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	var status apierrors.APIStatus
	var told *problem.Error
	if errors.As(err, &told) && errors.As(err, new(*url.Error)) {
		return false // what answered is not the cluster
	}
	if errors.As(err, &status) {
		code := status.Status().Code
		return code >= http.StatusInternalServerError || code == http.StatusTooManyRequests ||
			code == http.StatusConflict && !apierrors.IsAlreadyExists(err) || apierrors.IsTimeout(err)
	}
	return unanswered(err) && !mistrusted(err) && !unnamed(err)
}

// Transient is the function of this name with what a client knows besides: the name of a server that has answered
// will be known again, and a program that does not sign in any more needs a person.
func (c *Client) Transient(err error) bool {
	return !c.Unsigned(err) && (Transient(err) || c.reached.Load() && unnamed(err))
}

// Unsigned reports whether a request was never sent, because the program that signs in did not.
func (c *Client) Unsigned(err error) bool {
	var sent *url.Error
	var no *noAnswer
	return c.Config.ExecProvider != nil && errors.As(err, &sent) && !errors.As(err, &no) && !errors.Is(err, context.Canceled)
}

// unanswered reports whether no answer came at all: refused, reset, timed out, or closed on this side or the other.
func unanswered(err error) bool {
	return errors.As(err, new(*url.Error)) || errors.As(err, new(*noAnswer)) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// mistrusted reports whether the server's certificate is not one that this kubeconfig trusts, or it speaks no TLS.
func mistrusted(err error) bool {
	var wrong *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var plain tls.RecordHeaderError
	return errors.As(err, &wrong) || errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid) || errors.As(err, &plain)
}

// unnamed reports whether the server's name has no address.
func unnamed(err error) bool {
	var name *net.DNSError
	return errors.As(err, &name) && name.IsNotFound
}
