package webhook

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// A Handler responds for the programs behind one Service.
type Handler struct {
	Service types.NamespacedName
	// Image is the image behind the Service; Istio's proxy has the same version.
	Image string
	// NativeSidecars says that istiod's environment asks for native sidecars.
	NativeSidecars bool
	// KubernetesMinor is the cluster's minor version; 0 is a new one.
	KubernetesMinor int
	// PodDefaults returns those of a namespace.
	PodDefaults func(namespace string) []unstructured.Unstructured
}

// A review is an AdmissionReview or a ConversionReview of any version.
type review struct {
	metav1.TypeMeta `json:",inline"`
	Request         json.RawMessage `json:"request,omitempty"`
	Response        any             `json:"response,omitempty"`
}

func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		discover(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var got review
	if err := json.Unmarshal(body, &got); err != nil {
		http.Error(w, "reading the review: "+err.Error(), http.StatusBadRequest)
		return
	}
	answer := review{TypeMeta: got.TypeMeta}
	switch got.Kind {
	case "AdmissionReview":
		answer.Response, err = h.admit(r.URL.Path, got.Request)
	case "ConversionReview":
		answer.Response, err = convert(got.Request)
	default:
		err = fmt.Errorf("%q is not a review", got.Kind)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, answer)
}

func reply(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer)
}

// discover responds to discovery requests of an aggregated API; any other
// request is a health check.
func discover(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case parts[0] == "openapi":
		w.WriteHeader(http.StatusNotFound)
	case parts[0] == "apis" && len(parts) == 3:
		kind := func(name string) metav1.APIResource {
			return metav1.APIResource{
				Name: name, SingularName: strings.TrimSuffix(name, "s"), Group: "admission.k8s.io", Version: "v1beta1",
				Kind: "AdmissionReview", Verbs: metav1.Verbs{"create"},
			}
		}
		reply(w, metav1.APIResourceList{
			TypeMeta:     metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"},
			GroupVersion: parts[1] + "/" + parts[2],
			APIResources: []metav1.APIResource{kind("mutations"), kind("validations")},
		})
	default:
		io.WriteString(w, "ok")
	}
}
