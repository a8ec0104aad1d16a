package controlplane

import (
	"crypto/x509"
	"encoding/pem"
	"testing"
)

func TestAuthority(t *testing.T) {
	ca, err := NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.Certificate)

	t.Run("a serving certificate is good for its names and addresses, and no others", func(t *testing.T) {
		pair, err := ca.Server("hook", "hook.default.svc", "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		cert := parse(t, pair.Cert)
		for host, good := range map[string]bool{"hook.default.svc": true, "127.0.0.1": true, "other.default.svc": false} {
			_, err := cert.Verify(x509.VerifyOptions{DNSName: host, Roots: roots})
			if (err == nil) != good {
				t.Errorf("%s: %v", host, err)
			}
		}
	})
	t.Run("a client certificate names the user and its groups", func(t *testing.T) {
		pair, err := ca.Client("someone", "system:masters")
		if err != nil {
			t.Fatal(err)
		}
		cert := parse(t, pair.Cert)
		if cert.Subject.CommonName != "someone" || cert.Subject.Organization[0] != "system:masters" {
			t.Errorf("it is %s", cert.Subject)
		}
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
			t.Error(err)
		}
	})
}

func TestFreePorts(t *testing.T) {
	ports, err := freePorts(50)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, port := range ports {
		if seen[port] {
			t.Errorf("%d was chosen twice", port)
		}
		seen[port] = true
	}
}

func parse(t *testing.T, content []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(content)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
