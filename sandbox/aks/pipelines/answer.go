package pipelines

import (
	"encoding/json"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// answer is a run as one of the APIs shows it.
func (r run) answer(v2 bool, o *unstructured.Unstructured) map[string]any {
	phase, _, _ := unstructured.NestedString(o.Object, "status", "phase")
	message, _, _ := unstructured.NestedString(o.Object, "status", "message")
	if !v2 {
		one := map[string]any{"id": r.ID, "name": r.Name, "created_at": stamp(r.Created), "status": phase,
			"resource_references": []any{map[string]any{"key": map[string]any{"type": "EXPERIMENT", "id": r.Experiment}, "relationship": "OWNER"}}}
		manifest, _ := json.Marshal(o.Object)
		return map[string]any{"run": one, "pipeline_runtime": map[string]any{"workflow_manifest": string(manifest)}}
	}
	answer := map[string]any{"run_id": r.ID, "display_name": r.Name, "experiment_id": r.Experiment, "created_at": stamp(r.Created), "state": stateOf(phase)}
	if message != "" {
		answer["error"] = map[string]any{"code": 2, "message": message}
	}
	nodes, _, _ := unstructured.NestedMap(o.Object, "status", "nodes")
	tasks := []any{}
	for id, item := range nodes {
		if node, ok := item.(map[string]any); ok {
			tasks = append(tasks, r.task(id, node))
		}
	}
	answer["run_details"] = map[string]any{"task_details": tasks}
	return answer
}

// task is PipelineTaskDetail, as the persistence agent reports a node.
func (r run) task(id string, node map[string]any) map[string]any {
	task := map[string]any{"run_id": r.ID, "task_id": "task-" + id, "pod_name": id, "display_name": node["displayName"], "state": stateOf(text(node, "phase"))}
	for to, from := range map[string]string{"create_time": "startedAt", "start_time": "startedAt", "end_time": "finishedAt"} {
		if at := text(node, from); at != "" {
			task[to] = at
		}
	}
	if message := text(node, "message"); message != "" {
		task["error"] = map[string]any{"code": 2, "message": message}
	}
	children, _ := node["children"].([]any)
	all := []any{}
	for _, child := range children {
		all = append(all, map[string]any{"pod_name": child})
	}
	task["child_tasks"] = all
	return task
}

// stateOf maps a phase of Argo to RuntimeState.
func stateOf(phase string) string {
	switch phase {
	case "":
		return "PENDING"
	case "Error":
		return "FAILED"
	case "Omitted":
		return "SKIPPED"
	}
	return strings.ToUpper(phase)
}
