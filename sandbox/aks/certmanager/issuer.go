package certmanager

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
)

// namespaces are those of the gateways: Kubeflow's own and that of the AKS add-on.
var namespaces = []string{"istio-system", "aks-istio-ingress"}

// versions are the cert-manager API versions in Kubeflow's releases.
var versions = []string{"v1", "v1alpha2"}

const nameAnnotation = "cert-manager.io/certificate-name"

// An Issuer creates the Secrets of Certificates.
type Issuer struct {
	Client  dynamic.Interface
	Secrets typedcore.SecretsGetter
	Public  Pair                                   // the CA that signs in place of Let's Encrypt
	Ask     func(namespace, host, path string) int // requests a page from the gateway over plain HTTP
}

// Run reconciles all Certificates periodically until ctx ends. It cannot watch them, because their CRD comes and goes with Kubeflow.
func (i *Issuer) Run(ctx context.Context, log io.Writer) {
	for {
		for _, namespace := range namespaces {
			if err := i.reconcile(ctx, namespace); err != nil && ctx.Err() == nil {
				fmt.Fprintf(log, "cert-manager: %v\n", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (i *Issuer) reconcile(ctx context.Context, namespace string) error {
	for _, version := range versions {
		kind := schema.GroupVersionResource{Group: "cert-manager.io", Version: version, Resource: "certificates"}
		list, err := i.Client.Resource(kind).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		for n := range list.Items {
			if err := i.issue(ctx, kind, &list.Items[n]); err != nil && !apierrors.IsConflict(err) {
				return err
			}
		}
		return nil
	}
	return nil
}

// issue reconciles the Secret of one Certificate and writes the Certificate's status.
func (i *Issuer) issue(ctx context.Context, kind schema.GroupVersionResource, certificate *unstructured.Unstructured) error {
	wanted := wish(certificate)
	secret, err := i.Secrets.Secrets(certificate.GetNamespace()).Get(ctx, wanted.secret, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if err != nil {
		secret = nil
	}
	signer, why, err := i.signer(ctx, kind, certificate, wanted)
	if err != nil || why != "" {
		return i.setReady(ctx, kind, certificate, false, why, err)
	}
	if secret == nil || !wanted.met(secret.Data[corev1.TLSCertKey], signer) {
		made, err := signer.issue(wanted)
		if err != nil {
			return err
		}
		if err := i.write(ctx, certificate, wanted.secret, secret, made, signer); err != nil {
			return err
		}
	}
	return i.setReady(ctx, kind, certificate, true, "Certificate is up to date and has not expired", nil)
}

// signer returns the CA that signs a Certificate, or in why what it waits for.
func (i *Issuer) signer(ctx context.Context, kind schema.GroupVersionResource, certificate *unstructured.Unstructured, wanted wanted) (signer authority, why string, err error) {
	name, _, _ := unstructured.NestedString(certificate.Object, "spec", "issuerRef", "name")
	kind.Resource = "issuers"
	issuer, err := i.Client.Resource(kind).Namespace(certificate.GetNamespace()).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return signer, fmt.Sprintf("Referenced issuer %q was not found", name), nil
	}
	if err != nil {
		return signer, "", err
	}
	if ca, ok, _ := unstructured.NestedString(issuer.Object, "spec", "ca", "secretName"); ok {
		secret, err := i.Secrets.Secrets(certificate.GetNamespace()).Get(ctx, ca, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return signer, fmt.Sprintf("Secret %q of the issuer was not found", ca), nil
		}
		if err != nil {
			return signer, "", err
		}
		signer, err = read(Pair{Cert: secret.Data[corev1.TLSCertKey], Key: secret.Data[corev1.TLSPrivateKeyKey]})
		return signer, "", err
	}
	if _, acme, _ := unstructured.NestedMap(issuer.Object, "spec", "acme"); acme {
		for _, host := range wanted.names {
			if status := i.Ask(certificate.GetNamespace(), host, "/.well-known/acme-challenge/token"); status == http.StatusFound || status == http.StatusForbidden {
				return signer, fmt.Sprintf("Waiting for HTTP-01 challenge propagation: wrong status code '%d', expected '200'", status), nil
			}
		}
		signer, err = read(i.Public)
		return signer, "", err
	}
	return authority{}, "", nil // self-signed
}

func (i *Issuer) write(ctx context.Context, certificate *unstructured.Unstructured, name string, old *corev1.Secret, made Pair, signer authority) error {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: certificate.GetNamespace(), Annotations: map[string]string{nameAnnotation: certificate.GetName()}},
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: made.Cert, corev1.TLSPrivateKeyKey: made.Key, "ca.crt": made.Cert},
	}
	if signer.cert != nil {
		secret.Data["ca.crt"] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signer.cert.Raw})
	}
	in := i.Secrets.Secrets(secret.Namespace)
	if old == nil {
		_, err := in.Create(ctx, secret, metav1.CreateOptions{FieldManager: "cert-manager"})
		return err
	}
	secret.ResourceVersion = old.ResourceVersion
	_, err := in.Update(ctx, secret, metav1.UpdateOptions{FieldManager: "cert-manager"})
	return err
}

// setReady writes the Ready condition if it changed.
func (i *Issuer) setReady(ctx context.Context, kind schema.GroupVersionResource, certificate *unstructured.Unstructured, ready bool, message string, failed error) error {
	if failed != nil {
		return failed
	}
	status := map[bool]string{true: "True", false: "False"}[ready]
	conditions, _, _ := unstructured.NestedSlice(certificate.Object, "status", "conditions")
	for _, item := range conditions {
		if c, ok := item.(map[string]any); ok && c["type"] == "Ready" && c["status"] == status && c["message"] == message {
			return nil
		}
	}
	_ = unstructured.SetNestedSlice(certificate.Object, []any{map[string]any{
		"type": "Ready", "status": status, "reason": "Sandbox", "message": message, "lastTransitionTime": time.Now().UTC().Format(time.RFC3339),
	}}, "status", "conditions")
	in := i.Client.Resource(kind).Namespace(certificate.GetNamespace())
	_, err := in.UpdateStatus(ctx, certificate, metav1.UpdateOptions{FieldManager: "cert-manager"})
	if apierrors.IsNotFound(err) { // the CRD has no status subresource
		_, err = in.Update(ctx, certificate, metav1.UpdateOptions{FieldManager: "cert-manager"})
	}
	if apierrors.IsNotFound(err) {
		return nil // deleted in the meantime
	}
	return err
}

// met reports whether a certificate has the wanted fields and the right signer.
func (w wanted) met(certPEM []byte, signer authority) bool {
	block, _ := pem.Decode(certPEM)
	if block == nil {
		return false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil || len(cert.DNSNames) != len(w.names) || len(cert.IPAddresses) != len(w.addresses) {
		return false
	}
	for _, name := range w.names {
		if cert.VerifyHostname(name) != nil {
			return false
		}
	}
	for _, address := range w.addresses {
		if cert.VerifyHostname(address.String()) != nil {
			return false
		}
	}
	return signer.cert == nil || cert.CheckSignatureFrom(signer.cert) == nil
}
