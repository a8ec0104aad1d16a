package pipelines

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// An ir is what the sandbox reads of a pipeline's intermediate representation.
type ir struct {
	PipelineInfo   struct{ Name string } `json:"pipelineInfo"`
	DeploymentSpec struct {
		Executors map[string]struct {
			Container map[string]any `json:"container"`
		} `json:"executors"`
	} `json:"deploymentSpec"`
	Components map[string]struct {
		ExecutorLabel     string      `json:"executorLabel"`
		InputDefinitions  definitions `json:"inputDefinitions"`
		OutputDefinitions definitions `json:"outputDefinitions"`
	} `json:"components"`
	Root struct {
		DAG struct {
			Tasks map[string]irTask `json:"tasks"`
		} `json:"dag"`
	} `json:"root"`
}

type definitions struct {
	Artifacts map[string]any `json:"artifacts"`
}

type irTask struct {
	ComponentRef   struct{ Name string } `json:"componentRef"`
	DependentTasks []string              `json:"dependentTasks"`
	Inputs         struct {
		Artifacts map[string]struct {
			TaskOutputArtifact struct {
				OutputArtifactKey string `json:"outputArtifactKey"`
				ProducerTask      string `json:"producerTask"`
			} `json:"taskOutputArtifact"`
		} `json:"artifacts"`
	} `json:"inputs"`
}

var placeholder = regexp.MustCompile(`\{\{\$\.(inputs|outputs)\.artifacts\['([^']+)'\]\.path\}\}`)

// compile turns a pipeline into a Workflow, as argocompiler does, without drivers and launchers.
func compile(spec map[string]any) (*unstructured.Unstructured, error) {
	if inner, ok := spec["pipeline_spec"].(map[string]any); ok { // with a platform_spec beside it
		spec = inner
	}
	encoded, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	var p ir
	if err := json.Unmarshal(encoded, &p); err != nil || p.PipelineInfo.Name == "" {
		return nil, &failure{http.StatusBadRequest, 3, fmt.Sprintf("InvalidInputError: invalid v2 pipeline spec: %v", err)}
	}
	var tasks, templates []any
	for name, task := range p.Root.DAG.Tasks {
		component, ok := p.Components[task.ComponentRef.Name]
		if !ok {
			return nil, &failure{http.StatusBadRequest, 3, "InvalidInputError: component " + task.ComponentRef.Name + " is missing"}
		}
		var from []any
		for input, of := range task.Inputs.Artifacts {
			from = append(from, map[string]any{"name": "in-" + input, "from": fmt.Sprintf("{{tasks.%s.outputs.artifacts.out-%s}}", of.TaskOutputArtifact.ProducerTask, of.TaskOutputArtifact.OutputArtifactKey)})
		}
		tasks = append(tasks, map[string]any{"name": name, "template": name, "dependencies": task.DependentTasks, "arguments": map[string]any{"artifacts": from}})
		container := p.DeploymentSpec.Executors[component.ExecutorLabel].Container
		for _, field := range []string{"command", "args"} {
			words, _ := container[field].([]any)
			for i := range words {
				words[i] = placeholder.ReplaceAllString(fmt.Sprint(words[i]), "/tmp/$1/$2")
			}
		}
		delete(container, "resources")
		templates = append(templates, map[string]any{"name": name, "container": container,
			"metadata": map[string]any{"labels": map[string]any{"sidecar.istio.io/inject": "false"}, "annotations": map[string]any{"sidecar.istio.io/inject": "false"}},
			"inputs":   paths("in-", "inputs", component.InputDefinitions), "outputs": paths("out-", "outputs", component.OutputDefinitions)})
	}
	o := map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": map[string]any{"generateName": p.PipelineInfo.Name + "-"},
		"spec": map[string]any{"entrypoint": "root", "templates": append(templates, map[string]any{"name": "root", "dag": map[string]any{"tasks": tasks}})}}
	if encoded, err = json.Marshal(o); err != nil { // plain JSON values, which unstructured objects are made of
		return nil, err
	}
	made := &unstructured.Unstructured{}
	return made, json.Unmarshal(encoded, &made.Object)
}

func paths(prefix, way string, of definitions) map[string]any {
	var all []any
	for name := range of.Artifacts {
		all = append(all, map[string]any{"name": prefix + name, "path": "/tmp/" + way + "/" + name})
	}
	slices.SortFunc(all, func(a, b any) int { return len(fmt.Sprint(a)) - len(fmt.Sprint(b)) })
	return map[string]any{"artifacts": all}
}
