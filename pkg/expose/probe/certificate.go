package probe

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"time"
)

// Who trusts a certificate.
const (
	TrustedByAll = "everybody" // its CA is one that this computer trusts, as browsers do
	TrustedByCA  = "authority" // its CA is the one of the cluster: clients that trust it see no warning
	Untrusted    = "nobody"
)

// A Certificate is what a server presented, and whether a browser would trust it.
type Certificate struct {
	Issuer   string    `json:"issuer"`
	NotAfter time.Time `json:"notAfter"`
	Trusted  string    `json:"trustedBy"`         // everybody, authority or nobody
	Problem  string    `json:"problem,omitempty"` // why a browser would warn; "" when it is trusted
}

// verify checks the certificate of a connection to a host.
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

// ExpiresSoon reports whether it should have been renewed by now.
func (c *Certificate) ExpiresSoon() bool { return c != nil && time.Until(c.NotAfter) < 14*24*time.Hour }

// String describes the issuer of a certificate, its expiry and its problem.
func (c Certificate) String() string {
	description := fmt.Sprintf("certificate of %s, until %s", c.Issuer, c.NotAfter.UTC().Format(time.DateOnly))
	if c.ExpiresSoon() {
		description += fmt.Sprintf(" (%d days left)", int(time.Until(c.NotAfter).Hours()/24))
	}
	if c.Problem != "" {
		description += "; " + c.Problem
	}
	return description
}

// ValidFor reports whether a certificate is for a host, which is a name or an IP.
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
