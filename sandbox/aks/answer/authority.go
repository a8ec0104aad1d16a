package answer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"time"
)

// An Authority issues serving certificates signed by the sandbox's own CA.
type Authority struct {
	ca  tls.Certificate
	pem []byte

	mu     sync.Mutex
	issued map[string]*tls.Certificate
}

// NewAuthority reads the CA's certificate and key.
func NewAuthority(certPEM, keyPEM []byte) (*Authority, error) {
	ca, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("reading the sandbox's CA: %w", err)
	}
	if ca.Leaf, err = x509.ParseCertificate(ca.Certificate[0]); err != nil {
		return nil, fmt.Errorf("reading the sandbox's CA: %w", err)
	}
	return &Authority{ca: ca, pem: certPEM, issued: map[string]*tls.Certificate{}}, nil
}

// PEM is the CA's certificate in the form of a caBundle.
func (a *Authority) PEM() []byte { return a.pem }

// For returns a certificate for these DNS names and IP addresses. It issues each certificate once.
func (a *Authority) For(names ...string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := strings.Join(names, " ")
	if got := a.issued[key]; got != nil {
		return got, nil
	}
	got, err := a.issue(names)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate for %s: %w", key, err)
	}
	a.issued[key] = got
	return got, nil
}

func (a *Authority) issue(names []string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "sandbox"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     a.ca.Leaf.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, name)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.ca.Leaf, key.Public(), a.ca.PrivateKey)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
