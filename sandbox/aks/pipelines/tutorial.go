package pipelines

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	tutorialID   = "00000000-0000-4000-a000-7075746f7269"
	tutorialName = "[Tutorial] Data passing in python components"
)

// names are those of the tutorial: since Pipelines 2.14 names are lower case, and the old one is only displayed.
func (s *Server) names() (name, displayed string) {
	parts := strings.SplitN(s.tag(), ".", 3)
	if s.servesV2() && len(parts) > 1 && len(parts[1]) == 2 && parts[1] >= "14" {
		return "tutorial-data-passing-in-python-components", tutorialName
	}
	return tutorialName, tutorialName
}

func (s *Server) listPipelines(in *request) (any, error) {
	name, displayed := s.names()
	one := map[string]any{"id": tutorialID, "name": tutorialName}
	if in.v2 {
		one = map[string]any{"pipeline_id": tutorialID, "name": name, "display_name": displayed}
	}
	return map[string]any{"pipelines": []any{one}, "total_size": 1}, nil
}

func (s *Server) listVersions(in *request) (any, error) {
	return map[string]any{"pipeline_versions": []any{map[string]any{"pipeline_id": in.PathValue("id"), "pipeline_version_id": tutorialID, "display_name": tutorialName}}}, nil
}

// tutorial is the graph of the tutorial. Its programs are Python, which the sandbox does not run.
func tutorial() *unstructured.Unstructured {
	steps := []string{"repeat-line", "print-text", "split-text-lines", "print-text-2", "print-text-3", "write-numbers", "print-text-4", "sum-numbers"}
	after := map[string]string{"print-text": "repeat-line", "print-text-2": "split-text-lines", "print-text-3": "split-text-lines", "print-text-4": "write-numbers", "sum-numbers": "write-numbers"}
	var tasks, templates []any
	for _, step := range steps {
		task := map[string]any{"name": step, "template": step}
		if before := after[step]; before != "" {
			task["dependencies"] = []any{before}
		}
		tasks = append(tasks, task)
		templates = append(templates, map[string]any{"name": step, "container": map[string]any{"image": "python:3.9", "command": []any{"python3", "-c", "pass"}},
			"metadata": map[string]any{"annotations": map[string]any{"sidecar.istio.io/inject": "false"}, "labels": map[string]any{"sidecar.istio.io/inject": "false"}}})
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": map[string]any{"generateName": "tutorial-data-passing-"},
		"spec": map[string]any{"entrypoint": "root", "templates": append(templates, map[string]any{"name": "root", "dag": map[string]any{"tasks": tasks}})},
	}}
}
