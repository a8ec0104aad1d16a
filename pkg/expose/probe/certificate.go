package probe

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"time"
)

// Who vouches for a certificate.
const (
	TrustedByAll = "everybody" // an authority that this computer knows, as browsers do
	TrustedByCA  = "authority" // the one that the cluster says it is of: who trusts that one sees no warning
	Untrusted    = "nobody"
)

// A Certificate is what a page showed, and whether a browser would take it.
type Certificate struct {
	Issuer   string    `json:"issuer"`
	NotAfter time.Time `json:"notAfter"`
	Trusted  string    `json:"trustedBy"`         // everybody, authority or nobody
	Problem  string    `json:"problem,omitempty"` // what a browser would say; "" when it is trusted by everybody
}

// verify judges the certificate of a connection to a host.
func verify(state tls.ConnectionState, host string, roots *x509.CertPool) *Certificate {
	leaf := state.PeerCertificates[0]
	shown := &Certificate{Issuer: leaf.Issuer.CommonName, NotAfter: leaf.NotAfter, Trusted: Untrusted}
	if shown.Issuer == "" {
		shown.Issuer = leaf.Issuer.String()
	}
	how := x509.VerifyOptions{DNSName: bracketed(host), Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		how.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(how)
	if err == nil {
		shown.Trusted = TrustedByAll
		return shown
	}
	shown.Problem = err.Error()
	if how.Roots = roots; roots != nil {
		if _, err := leaf.Verify(how); err == nil {
			shown.Trusted, shown.Problem = TrustedByCA, "browsers do not trust its CA"
		}
	}
	return shown
}

// ExpiresSoon tells whether it should have been renewed by now.
func (c *Certificate) ExpiresSoon() bool { return c != nil && time.Until(c.NotAfter) < 14*24*time.Hour }

// String says until when a certificate is good, and who vouches for it.
func (c Certificate) String() string {
	said := fmt.Sprintf("certificate of %s, until %s", c.Issuer, c.NotAfter.UTC().Format(time.DateOnly))
	if c.ExpiresSoon() {
		said += fmt.Sprintf(" (%d days left)", int(time.Until(c.NotAfter).Hours()/24))
	}
	if c.Problem != "" {
		said += "; " + c.Problem
	}
	return said
}

// ValidFor tells whether a certificate is for a host, which is a name or an IP.
func ValidFor(leaf *x509.Certificate, host string) bool {
	return leaf.VerifyHostname(bracketed(host)) == nil
}

// bracketed returns a host in the form that VerifyHostname expects: an IP in brackets.
func bracketed(host string) string {
	if net.ParseIP(host) != nil {
		return "[" + host + "]"
	}
	return host
}
