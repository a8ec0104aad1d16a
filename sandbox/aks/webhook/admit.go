package webhook

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type admitRequest struct {
	UID       string `json:"uid"`
	Kind      struct{ Kind string }
	Namespace string          `json:"namespace"`
	Object    json.RawMessage `json:"object"`
}

type admitResponse struct {
	UID       string         `json:"uid"`
	Allowed   bool           `json:"allowed"`
	PatchType string         `json:"patchType,omitempty"`
	Patch     []byte         `json:"patch,omitempty"`
	Status    *metav1.Status `json:"status,omitempty"` // why it is denied
}

// admit allows every request, with this webhook's mutation, except pods whose PodDefaults contradict each other.
func (h Handler) admit(path string, request json.RawMessage) (admitResponse, error) {
	var asked admitRequest
	if err := json.Unmarshal(request, &asked); err != nil {
		return admitResponse{}, fmt.Errorf("reading the request: %w", err)
	}
	answer := admitResponse{UID: asked.UID, Allowed: true}
	if asked.Kind.Kind == "Pod" && path == podDefaultsPath && h.PodDefaults != nil {
		pod, err := h.applyPodDefaults(asked.Object, asked.Namespace)
		if err != nil {
			return admitResponse{UID: asked.UID, Status: &metav1.Status{Message: err.Error()}}, nil
		}
		if pod == nil {
			return answer, nil
		}
		answer.PatchType, answer.Patch = "JSONPatch", replaced(pod.ObjectMeta, pod.Spec)
		return answer, nil
	}
	patch, err := h.mutate(path, asked)
	if err != nil || patch == nil {
		return answer, err
	}
	answer.PatchType, answer.Patch = "JSONPatch", patch
	return answer, nil
}

func (h Handler) mutate(path string, asked admitRequest) ([]byte, error) {
	if asked.Kind.Kind != "Pod" || h.Service.Namespace != "istio-system" || path != "/inject" {
		return nil, nil
	}
	var pod map[string]any
	if err := json.Unmarshal(asked.Object, &pod); err != nil {
		return nil, fmt.Errorf("reading the pod: %w", err)
	}
	if !inject(pod, h.mesh()) {
		return nil, nil
	}
	return replaced(pod["metadata"], pod["spec"]), nil
}

// replaced is a patch that writes both parts of a pod.
func replaced(metadata, spec any) []byte {
	patch, _ := json.Marshal([]map[string]any{
		{"op": "add", "path": "/metadata", "value": metadata},
		{"op": "add", "path": "/spec", "value": spec},
	})
	return patch
}
