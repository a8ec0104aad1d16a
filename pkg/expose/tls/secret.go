package tls

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/probe"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// leafOf returns the certificate that a Secret of type kubernetes.io/tls serves. Its key is not read.
func leafOf(secret *unstructured.Unstructured) (*x509.Certificate, error) {
	text, _, _ := unstructured.NestedString(secret.Object, "data", "tls.crt")
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(decoded) == 0 {
		return nil, errors.New("it has no tls.crt")
	}
	block, _ := pem.Decode(decoded)
	if block == nil {
		return nil, errors.New("its tls.crt is not a certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

// caOf returns the CA that cert-manager stores with a certificate, nil when there is none.
func caOf(secret *unstructured.Unstructured) *x509.CertPool {
	text, _, _ := unstructured.NestedString(secret.Object, "data", "ca.crt")
	decoded, err := base64.StdEncoding.DecodeString(text)
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(decoded) {
		return nil
	}
	return roots
}

// checkSecret checks the Secret that the user named. The notes are warnings that browsers will show.
func (t Target) checkSecret(name, host string) (notes []string, err error) {
	named := t.Namespace() + "/" + name
	unusable := func(why string) error {
		return &problem.Error{What: "Secret " + named + " cannot be served: " + why,
			Next: "Create it with: kubectl create secret tls -n " + escape.Word(t.Namespace()) + " " + escape.Word(name) + " --cert FILE --key FILE"}
	}
	switch {
	case t.forbidden:
		return []string{"Secret " + named + " cannot be read with your permissions, so it was not checked."}, nil
	case t.secret == nil:
		return nil, unusable("it does not exist")
	}
	if key, _, _ := unstructured.NestedString(t.secret.Object, "data", "tls.key"); key == "" {
		return nil, unusable("it has no tls.key")
	}
	leaf, err := leafOf(t.secret)
	if err != nil {
		return nil, unusable(err.Error())
	}
	if time.Now().After(leaf.NotAfter) {
		return nil, unusable("its certificate expired on " + leaf.NotAfter.Format(time.DateOnly))
	}
	if host != "" && !probe.ValidFor(leaf, host) {
		notes = append(notes, fmt.Sprintf("The certificate in %s is not for %s: browsers will warn about it.", named, host))
	}
	return notes, nil
}

// covers reports whether a certificate is valid for the plan's host.
func (p Plan) covers(leaf *x509.Certificate) bool {
	return p.Host == "" || probe.ValidFor(leaf, p.Host)
}
