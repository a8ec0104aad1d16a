package notebooks

import (
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// status returns the status of a Notebook. Without a pod the last state of its container stays, as in the real controller.
func (c controller) status(notebook *unstructured.Unstructured, ready int64, pod *corev1.Pod) map[string]any {
	was, _, _ := unstructured.NestedMap(notebook.Object, "status")
	state, _ := was["containerState"].(map[string]any)
	conditions, _ := was["conditions"].([]any)
	if state == nil {
		state = map[string]any{}
	}
	if conditions == nil {
		conditions = []any{}
	}
	if pod != nil {
		for _, s := range pod.Status.ContainerStatuses {
			if s.Name == notebook.GetName() {
				state = fields(s.State)
			}
		}
		if c.mirrorsPod() {
			conditions = podConditions(pod)
		} else {
			conditions = history(conditions, state)
		}
	}
	return map[string]any{"readyReplicas": ready, "containerState": state, "conditions": conditions}
}

// mirrorsPod reports whether the conditions are those of the pod: since Kubeflow 1.5, whose controller knows CLUSTER_DOMAIN.
func (c controller) mirrorsPod() bool {
	_, ok := c.program.Env("CLUSTER_DOMAIN")
	return ok
}

func podConditions(pod *corev1.Pod) []any {
	all := []any{}
	for _, p := range pod.Status.Conditions {
		one := map[string]any{"type": string(p.Type), "status": string(p.Status)}
		for key, value := range map[string]string{"reason": p.Reason, "message": p.Message} {
			if value != "" {
				one[key] = value
			}
		}
		all = append(all, one)
	}
	return all
}

// history adds the state of the container in front of the earlier ones.
func history(earlier []any, state map[string]any) []any {
	now := map[string]any{"lastProbeTime": time.Now().UTC().Format(time.RFC3339)}
	for key, kind := range map[string]string{"running": "Running", "waiting": "Waiting", "terminated": "Terminated"} {
		detail, ok := state[key].(map[string]any)
		if !ok {
			continue
		}
		now["type"] = kind
		for _, field := range []string{"reason", "message"} {
			if text, ok := detail[field].(string); ok && text != "" {
				now[field] = text
			}
		}
	}
	if now["type"] == nil {
		return earlier
	}
	if len(earlier) > 0 {
		last, _ := earlier[0].(map[string]any)
		if last["type"] == now["type"] && last["reason"] == now["reason"] && last["message"] == now["message"] {
			return earlier
		}
	}
	return append([]any{now}, earlier...)
}

func fields(state corev1.ContainerState) map[string]any {
	text, err := json.Marshal(state)
	if err != nil { // it came from the API server
		panic(err)
	}
	all := map[string]any{}
	_ = json.Unmarshal(text, &all)
	return all
}

// sameStatus compares two statuses as JSON.
func sameStatus(a, b map[string]any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}
