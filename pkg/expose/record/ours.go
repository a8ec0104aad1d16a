package record

import (
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// managers are the field managers of this program: that of expose and install, and that of doctor --fix.
var managers = []string{state.Manager, state.Manager + "-doctor"}

// Created reports whether this program created an object to expose the dashboard: it has the labels, and the server notes that this
// program set them. Whoever labels an object of theirs like that has not made it ours.
func Created(o *unstructured.Unstructured) bool {
	for key, value := range dashboard.ManagedLabels {
		if o.GetLabels()[key] != value || !kube.SetBy(o, "/metadata/labels/"+strings.ReplaceAll(key, "/", "~1"), managers...) {
			return false
		}
	}
	return true
}

// Edited reports whether expose changed an object: it is one of those that expose changes, and the server notes that this program
// wrote its record.
func Edited(o *unstructured.Unstructured) bool {
	return o.GetLabels()[Label] == "expose" && changeable(o) && kube.SetBy(o, "/metadata/annotations/"+strings.ReplaceAll(Annotation, "/", "~1"), managers...)
}

// changeable reports whether an object is one of those of other owners that expose changes.
func changeable(o *unstructured.Unstructured) bool {
	namespace, name := o.GetNamespace(), o.GetName()
	switch o.GetKind() {
	case "Gateway":
		return namespace == "kubeflow" && name == "kubeflow-gateway"
	case "ConfigMap":
		return namespace == "oauth2-proxy" || namespace == "auth" && name == "dex" || namespace == "istio-system" && name == "oidc-authservice-parameters"
	case "RequestAuthentication":
		return namespace == "istio-system" || namespace == "aks-istio-system"
	}
	return o.GetKind() == "AuthorizationPolicy"
}

// ChallengePath is where a certificate authority verifies the ownership of a name (RFC 8555, section 8.3). Its content is public by
// design, so that it is the only path that a record exempts from authentication.
const ChallengePath = "/.well-known/acme-challenge/"

// origin is the part of a URL that expose replaces.
var origin = regexp.MustCompile(`^https?://[a-zA-Z0-9]([a-zA-Z0-9.-]{0,252}[a-zA-Z0-9])?(:[0-9]{1,5})?$`)

// mostURLs limits the URLs of a record: expose replaces one host name.
const mostURLs = 8

// known returns a record with nothing in it that expose does not write.
func (r Record) known() Record {
	if r.Path != ChallengePath && r.Path != ChallengePath+"*" {
		r.Path = ""
	}
	for now, before := range r.URLs {
		if !strings.HasPrefix(now, "https://") || !origin.MatchString(now) || !origin.MatchString(before) || len(r.URLs) > mostURLs {
			r.URLs = nil
			break
		}
	}
	return r
}

// serves reports whether a server of a Gateway is what expose adds: HTTPS on port 443 with a certificate, for clients without one.
func serves(server map[string]any) bool {
	name, _, _ := unstructured.NestedString(server, "port", "name")
	protocol, _, _ := unstructured.NestedString(server, "port", "protocol")
	mode, _, _ := unstructured.NestedString(server, "tls", "mode")
	redirects, _, _ := unstructured.NestedBool(server, "tls", "httpsRedirect")
	hosts, _, _ := unstructured.NestedStringSlice(server, "hosts")
	number, _, _ := unstructured.NestedFieldNoCopy(server, "port", "number")
	return name == ServerName && protocol == "HTTPS" && mode == "SIMPLE" && !redirects && (number == int64(443) || number == float64(443)) && slices.Equal(hosts, []string{"*"})
}
