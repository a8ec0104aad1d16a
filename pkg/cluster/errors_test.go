package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestTransientErrorsAreThoseThatPass(t *testing.T) {
	deployments := schema.GroupResource{Group: "apps", Resource: "deployments"}
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"no error", nil, false},
		{"a webhook that does not answer", apierrors.NewInternalError(fmt.Errorf("failed calling webhook")), true},
		{"too many requests", apierrors.NewTooManyRequests("slow down", 1), true},
		{"a conflict", apierrors.NewConflict(deployments, "x", fmt.Errorf("changed")), true},
		{"the server is busy", apierrors.NewServerTimeout(deployments, "create", 1), true},
		{"connection refused, wrapped", fmt.Errorf("applying: %w", refused), true},
		{"a connection closed on this side", &url.Error{Op: "Patch", URL: "https://x", Err: errors.New("force closed")}, true},
		{"a certificate that is not trusted", &url.Error{Op: "Get", URL: "https://x", Err: &tls.CertificateVerificationError{}}, false},
		{"a name that is nobody's", &url.Error{Op: "Get", URL: "https://x", Err: &net.DNSError{IsNotFound: true}}, false},
		{"forbidden", apierrors.NewForbidden(deployments, "x", nil), false},
		{"invalid", apierrors.NewInvalid(schema.GroupKind{Kind: "Deployment"}, "x", nil), false},
		{"it exists already", apierrors.NewAlreadyExists(deployments, "x"), false},
		{"interrupted", context.Canceled, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Transient(c.err); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
