package expose

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// leafOf returns the certificate that a Secret of type kubernetes.io/tls serves. Its key is not looked at.
func leafOf(secret *unstructured.Unstructured) (*x509.Certificate, error) {
	text, _, _ := unstructured.NestedString(secret.Object, "data", "tls.crt")
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(decoded) == 0 {
		return nil, errors.New("it has no tls.crt")
	}
	block, _ := pem.Decode(decoded)
	if block == nil {
		return nil, errors.New("its tls.crt is no certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

// authorityOf returns the authority that cert-manager says a Secret's certificate is of, nil when it says none.
func authorityOf(secret *unstructured.Unstructured) *x509.CertPool {
	text, _, _ := unstructured.NestedString(secret.Object, "data", "ca.crt")
	decoded, err := base64.StdEncoding.DecodeString(text)
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(decoded) {
		return nil
	}
	return roots
}

// given checks the Secret that the user named. The notes say what visitors will be warned of.
func (t Target) given(name, host string) (notes []string, err error) {
	named := t.Namespace() + "/" + name
	unfit := func(why string) error {
		return &cluster.Problem{What: "Secret " + named + " cannot be served: " + why,
			Next: "Make it with: kubectl create secret tls -n " + t.Namespace() + " " + name + " --cert FILE --key FILE"}
	}
	switch {
	case t.tls.forbidden:
		return []string{"Secret " + named + " may not be read with your permissions: it is taken as it is."}, nil
	case t.tls.secret == nil:
		return nil, unfit("it is not there")
	}
	if key, _, _ := unstructured.NestedString(t.tls.secret.Object, "data", "tls.key"); key == "" {
		return nil, unfit("it has no tls.key")
	}
	leaf, err := leafOf(t.tls.secret)
	if err != nil {
		return nil, unfit(err.Error())
	}
	if time.Now().After(leaf.NotAfter) {
		return nil, unfit("its certificate ended on " + leaf.NotAfter.Format(time.DateOnly))
	}
	if host != "" && leaf.VerifyHostname(bracketed(host)) != nil {
		notes = append(notes, fmt.Sprintf("The certificate in %s is not for %s: browsers will warn of it.", named, host))
	}
	return notes, nil
}

// covers tells whether a certificate is good for all that a plan wants it for.
func (p TLSPlan) covers(leaf *x509.Certificate) bool {
	return p.Host == "" || leaf.VerifyHostname(bracketed(p.Host)) == nil
}

// bracketed is how VerifyHostname takes an address.
func bracketed(host string) string {
	if net.ParseIP(host) != nil {
		return "[" + host + "]"
	}
	return host
}
