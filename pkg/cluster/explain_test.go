package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// over is an error as client-go returns it for a request.
func over(err error) error {
	return fmt.Errorf("applying ConfigMap/a/b: %w", &url.Error{Op: "Patch", URL: "https://x", Err: err})
}

func TestEveryWayToFailHasItsSentence(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	kubelogin := &rest.Config{Host: "https://kf.privatelink.westeurope.azmk8s.io", ExecProvider: &clientcmdapi.ExecConfig{Command: "kubelogin"}}
	plain := &rest.Config{Host: "https://kf.example.org"}
	for _, c := range []struct {
		name       string
		config     *rest.Config
		err        error
		what, next string
		transient  bool // where the server has answered before
	}{
		{"an expired token", plain, apierrors.NewUnauthorized("Unauthorized"), "does not accept these credentials", "Sign in again", false},
		{"an expired token of kubelogin", kubelogin, apierrors.NewUnauthorized("Unauthorized"), "does not accept these credentials", "kubelogin remove-cache-dir", false},
		{"a sign-in program that fails", kubelogin, over(errors.New("getting credentials: exec: executable kubelogin failed with exit code 1")), "signing in to the cluster did not work", "kubelogin remove-cache-dir", false},
		{"a sign-in program that is missing", kubelogin, over(errors.New("getting credentials: exec: executable kubelogin not found")), "which is not installed", "az aks install-cli", false},
		{"a connection cut with kubelogin", kubelogin, over(&noAnswer{io.ErrUnexpectedEOF}), "broke off: unexpected EOF", "Run the same command again", true},
		{"a certificate of somebody else", plain, over(x509.UnknownAuthorityError{}), "is not the one that this kubeconfig trusts", "az aks get-credentials", false},
		{"no TLS at all", plain, over(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), "is not the one that this kubeconfig trusts", "a proxy stands between", false},
		{"a name that is nobody's", plain, over(&net.DNSError{Err: "no such host", Name: "kf.example.org", IsNotFound: true}), "the name of the cluster's server is not known here", "az aks show", true},
		{"a private cluster from outside", &rest.Config{Host: kubelogin.Host}, over(&net.DNSError{Err: "no such host", IsNotFound: true}), "not known here", "private cluster", true},
		{"an address that may not connect", &rest.Config{Host: "https://kf.hcp.westeurope.azmk8s.io"}, over(&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}), "does not answer", "apiServerAccessProfile", true},
		{"nobody listens", plain, over(refused), "the cluster does not answer at https://kf.example.org", "az aks show", true},
		{"forbidden on AKS", kubelogin, apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "x", errors.New("no")), "forbidden", "az role assignment create", false},
		{"forbidden", plain, apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "x", errors.New("no")), "forbidden", "administrator", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := &Client{Config: c.config}
			var failure *problem.Error
			if !errors.As(client.Explain(c.err), &failure) || !strings.Contains(failure.What, c.what) || !strings.Contains(failure.Next, c.next) {
				t.Errorf("got %+v, want %q and %q", failure, c.what, c.next)
			}
			client.reached.Store(true)
			if got := client.Transient(c.err); got != c.transient {
				t.Errorf("transient is %v", got)
			}
		})
	}
}

func TestAServerThatStopsAnsweringIsNotToBeLookedFor(t *testing.T) {
	client := &Client{Config: &rest.Config{Host: "https://kf.example.org"}}
	client.reached.Store(true)
	var failure *problem.Error
	err := client.Explain(over(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}))
	if !errors.As(err, &failure) || !strings.Contains(failure.What, "no longer answers") || !strings.Contains(failure.Next, "it resumes where it stopped") {
		t.Errorf("got %+v", failure)
	}
}

func TestAnUnknownNameIsHopelessAtTheFirstContactOnly(t *testing.T) {
	client := &Client{Config: &rest.Config{}}
	err := over(&net.DNSError{Err: "no such host", IsNotFound: true})
	if client.Transient(err) {
		t.Error("a name that never had an address is asked for again")
	}
	client.reached.Store(true)
	if !client.Transient(err) {
		t.Error("a name that had an address a moment ago is given up")
	}
}

func TestAnInterruptionIsExplainedByNobody(t *testing.T) {
	client := &Client{Config: &rest.Config{}}
	if err := over(context.Canceled); client.Explain(err) != err {
		t.Errorf("it became %v", client.Explain(err))
	}
}
