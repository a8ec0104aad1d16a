package certmanager

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A Pair is a certificate and its key, PEM.
type Pair struct{ Cert, Key []byte }

// wanted is the spec of a Certificate.
type wanted struct {
	secret, common string
	names          []string
	addresses      []net.IP
	isCA           bool
}

func wish(certificate *unstructured.Unstructured) wanted {
	var w wanted
	w.secret, _, _ = unstructured.NestedString(certificate.Object, "spec", "secretName")
	w.common, _, _ = unstructured.NestedString(certificate.Object, "spec", "commonName")
	w.names, _, _ = unstructured.NestedStringSlice(certificate.Object, "spec", "dnsNames")
	w.isCA, _, _ = unstructured.NestedBool(certificate.Object, "spec", "isCA")
	addresses, _, _ := unstructured.NestedStringSlice(certificate.Object, "spec", "ipAddresses")
	for _, text := range addresses {
		if address := net.ParseIP(text); address != nil {
			w.addresses = append(w.addresses, address)
		}
	}
	return w
}

// An authority is a signing CA; the empty one means self-signed.
type authority struct {
	cert *x509.Certificate
	key  crypto.PrivateKey
}

func read(pair Pair) (authority, error) {
	loaded, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		return authority{}, err
	}
	cert, err := x509.ParseCertificate(loaded.Certificate[0])
	return authority{cert: cert, key: loaded.PrivateKey}, err
}

func (a authority) issue(w wanted) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return Pair{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: w.common}, DNSNames: w.names, IPAddresses: w.addresses,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA: w.isCA, BasicConstraintsValid: true,
	}
	if w.isCA {
		template.KeyUsage |= x509.KeyUsageCertSign
		template.ExtKeyUsage = nil
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return Pair{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	return Pair{
		Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}, err
}
