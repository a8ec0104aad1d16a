package expose

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"
)

// Who vouches for a certificate.
const (
	TrustedByAll = "everybody" // an authority that this computer knows, as browsers do
	TrustedByOwn = "authority" // the one that the cluster says it is of: who trusts that one sees no warning
	Untrusted    = "nobody"
)

// A Certificate is what a page showed, and whether a browser would take it.
type Certificate struct {
	Issuer  string    `json:"issuer"`
	Ends    time.Time `json:"notAfter"`
	Trusted string    `json:"trustedBy"`         // everybody, authority or nobody
	Problem string    `json:"problem,omitempty"` // what a browser would say; "" when it is trusted by everybody
}

// shownBy judges the certificate of a connection to a host.
func shownBy(state tls.ConnectionState, host string, roots *x509.CertPool) *Certificate {
	leaf := state.PeerCertificates[0]
	shown := &Certificate{Issuer: leaf.Issuer.CommonName, Ends: leaf.NotAfter, Trusted: Untrusted}
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
			shown.Trusted, shown.Problem = TrustedByOwn, "browsers do not know its authority"
		}
	}
	return shown
}

// ending tells whether it should have been renewed by now.
func (c *Certificate) ending() bool { return c != nil && time.Until(c.Ends) < 14*24*time.Hour }

// String says until when a certificate is good, and who vouches for it.
func (c Certificate) String() string {
	said := fmt.Sprintf("certificate of %s, until %s", c.Issuer, c.Ends.UTC().Format(time.DateOnly))
	if c.ending() {
		said += fmt.Sprintf(" (%d days left)", int(time.Until(c.Ends).Hours()/24))
	}
	if c.Problem != "" {
		said += "; " + c.Problem
	}
	return said
}
