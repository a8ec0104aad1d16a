package webhook

import (
	"encoding/json"
	"fmt"
)

type admitRequest struct {
	UID    string `json:"uid"`
	Kind   struct{ Kind string }
	Object json.RawMessage `json:"object"`
}

type admitResponse struct {
	UID       string `json:"uid"`
	Allowed   bool   `json:"allowed"`
	PatchType string `json:"patchType,omitempty"`
	Patch     []byte `json:"patch,omitempty"`
}

// admit allows every request, with this webhook's mutation.
func (h Handler) admit(path string, request json.RawMessage) (admitResponse, error) {
	var asked admitRequest
	if err := json.Unmarshal(request, &asked); err != nil {
		return admitResponse{}, fmt.Errorf("reading the request: %w", err)
	}
	answer := admitResponse{UID: asked.UID, Allowed: true}
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
	return json.Marshal([]map[string]any{
		{"op": "add", "path": "/metadata", "value": pod["metadata"]},
		{"op": "add", "path": "/spec", "value": pod["spec"]},
	})
}
