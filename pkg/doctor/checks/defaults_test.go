package checks

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// setRequiredFields sets the fields of a case's object that the API server requires and the check does not read.
func setRequiredFields(o *unstructured.Unstructured) {
	fill := func(value any, path ...string) {
		if _, there, _ := unstructured.NestedFieldNoCopy(o.Object, path...); !there {
			_ = unstructured.SetNestedField(o.Object, value, path...)
		}
	}
	switch o.GetKind() {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
		fill(map[string]any{"matchLabels": map[string]any{"case": o.GetName()}}, "spec", "selector")
		chosen, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
		for key, value := range chosen {
			fill(value, "spec", "template", "metadata", "labels", key)
		}
		if o.GetKind() == "StatefulSet" {
			fill(o.GetName(), "spec", "serviceName")
		}
		completePod(o.Object, "spec", "template", "spec")
		if n, there, _ := unstructured.NestedInt64(o.Object, "status", "availableReplicas"); there {
			for _, field := range []string{"replicas", "readyReplicas", "updatedReplicas"} {
				fill(n, "status", field)
			}
		}
	case "Job":
		fill("Never", "spec", "template", "spec", "restartPolicy")
		completePod(o.Object, "spec", "template", "spec")
	case "Pod":
		completePod(o.Object, "spec")
	case "Service":
		fill([]any{map[string]any{"port": int64(80)}}, "spec", "ports")
		namePorts(o.Object, "spec", "ports")
	case "PersistentVolumeClaim":
		fill([]any{"ReadWriteOnce"}, "spec", "accessModes")
		fill("1Gi", "spec", "resources", "requests", "storage")
	case "PersistentVolume":
		fill([]any{"ReadWriteOnce"}, "spec", "accessModes")
		fill("1Gi", "spec", "capacity", "storage")
		fill(map[string]any{"path": "/x"}, "spec", "hostPath")
	case "StorageClass":
		fill("disk.csi.azure.com", "provisioner")
	case "EndpointSlice":
		fill("IPv4", "addressType")
		for _, e := range kube.Items(o.Object, "endpoints") {
			if _, there := e["addresses"]; !there {
				e["addresses"] = []any{"10.0.0.9"}
			}
		}
		fill([]any{}, "endpoints")
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
		for i, w := range kube.Items(o.Object, "webhooks") {
			for key, value := range map[string]any{"sideEffects": "None", "admissionReviewVersions": []any{"v1"}, "name": "w" + strconv.Itoa(i) + ".example.com", "clientConfig": map[string]any{"url": "https://example.com/"}} {
				if _, there := w[key]; !there {
					w[key] = value
				}
			}
		}
	case "CertificateSigningRequest":
		fill(base64.StdEncoding.EncodeToString(signingRequest()), "spec", "request")
		fill("kubernetes.io/kube-apiserver-client", "spec", "signerName")
		fill([]any{"client auth"}, "spec", "usages")
	case "Event":
		fill(o.GetNamespace(), "involvedObject", "namespace")
	case "NetworkPolicy":
		fill(map[string]any{}, "spec", "podSelector")
	case "Ingress":
		fill(map[string]any{"service": map[string]any{"name": "x", "port": map[string]any{"number": int64(80)}}}, "spec", "defaultBackend")
	}
}

// namePorts names the ports of an object with more than one, as the API server requires.
func namePorts(o map[string]any, path ...string) {
	list := kube.Items(o, path...)
	for i, p := range list {
		if _, there := p["name"]; !there && len(list) > 1 {
			p["name"] = "p" + strconv.Itoa(i)
		}
	}
}

func completePod(o map[string]any, path ...string) {
	spec, _, _ := unstructured.NestedFieldNoCopy(o, path...)
	m, ok := spec.(map[string]any)
	if !ok {
		m = map[string]any{}
		_ = unstructured.SetNestedMap(o, m, path...)
		spec, _, _ = unstructured.NestedFieldNoCopy(o, path...)
		m = spec.(map[string]any)
	}
	if len(kube.Items(m, "containers")) == 0 {
		m["containers"] = []any{map[string]any{"name": "main", "image": "example.com/a:1"}}
	}
	for _, list := range []string{"containers", "initContainers"} {
		for i, c := range kube.Items(m, list) {
			if _, there := c["name"]; !there {
				c["name"] = list[:4] + strconv.Itoa(i)
			}
			if _, there := c["image"]; !there {
				c["image"] = "example.com/a:1"
			}
		}
	}
}

// signingRequest returns a certificate signing request that the API server accepts.
func signingRequest() []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "cache-server"}}, key)
	if err != nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request})
}
