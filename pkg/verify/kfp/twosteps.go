package kfp

// Output is the step whose artifact shows what [TwoSteps] wrote, and its name: what the first step stored, or, with the newer API, the
// archived log of the step that read it.
func Output(api API) (step, artifact string) {
	if api == V1 {
		return "write", "word"
	}
	return "read", "main-logs"
}

const (
	writeScript = `mkdir -p "$(dirname "$1")" && echo "$0" > "$1"`
	readScript  = `cat "$1" && test "$(cat "$1")" = "$0"`
)

// TwoSteps is a pipeline of two steps, compiled for an API: the first writes a word to an artifact, the second reads it. It needs no
// image but one with sh, and nothing from outside the cluster.
func TwoSteps(api API, image, word string) map[string]any {
	if api == V1 {
		return workflow(image, word)
	}
	const name = "word"
	artifact := map[string]any{"artifacts": map[string]any{name: map[string]any{
		"artifactType": map[string]any{"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"},
	}}}
	container := func(script, path string) map[string]any {
		return map[string]any{"container": map[string]any{"image": image, "command": []any{"sh", "-ec", script, word, path}}}
	}
	task := func(name string, more map[string]any) map[string]any {
		t := map[string]any{"cachingOptions": map[string]any{}, "componentRef": map[string]any{"name": "comp-" + name}, "taskInfo": map[string]any{"name": name}}
		for key, value := range more {
			t[key] = value
		}
		return t
	}
	return map[string]any{
		"pipelineInfo":  map[string]any{"name": "kubeflow-verify"},
		"schemaVersion": "2.1.0", "sdkVersion": "kfp-2.4.0",
		"components": map[string]any{
			"comp-write": map[string]any{"executorLabel": "exec-write", "outputDefinitions": artifact},
			"comp-read":  map[string]any{"executorLabel": "exec-read", "inputDefinitions": artifact},
		},
		"deploymentSpec": map[string]any{"executors": map[string]any{
			"exec-write": container(writeScript, "{{$.outputs.artifacts['word'].path}}"),
			"exec-read":  container(readScript, "{{$.inputs.artifacts['word'].path}}"),
		}},
		"root": map[string]any{"dag": map[string]any{"tasks": map[string]any{
			"write": task("write", nil),
			"read": task("read", map[string]any{"dependentTasks": []any{"write"}, "inputs": map[string]any{"artifacts": map[string]any{
				name: map[string]any{"taskOutputArtifact": map[string]any{"outputArtifactKey": name, "producerTask": "write"}},
			}}}),
		}}},
	}
}

// workflow is the pipeline as an Argo Workflow. A sidecar would keep the steps from ending.
func workflow(image, word string) map[string]any {
	const path = "/tmp/word/data"
	off := map[string]any{"sidecar.istio.io/inject": "false"}
	resources := map[string]any{"requests": map[string]any{"cpu": "50m", "memory": "64Mi"}, "limits": map[string]any{"cpu": "500m", "memory": "128Mi"}}
	template := func(name, script string, more map[string]any) map[string]any {
		t := map[string]any{"name": name, "metadata": map[string]any{"labels": off, "annotations": off}, "container": map[string]any{
			"image": image, "command": []any{"sh", "-ec", script, word, path}, "resources": resources,
		}}
		for key, value := range more {
			t[key] = value
		}
		return t
	}
	artifacts := func(fields map[string]any) map[string]any { return map[string]any{"artifacts": []any{fields}} }
	return map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": map[string]any{"generateName": "kubeflow-verify-"},
		"spec": map[string]any{"entrypoint": "kubeflow-verify", "serviceAccountName": "default-editor", "templates": []any{
			template("write", writeScript, map[string]any{"outputs": artifacts(map[string]any{"name": "word", "path": path})}),
			template("read", readScript, map[string]any{"inputs": artifacts(map[string]any{"name": "word", "path": path})}),
			map[string]any{"name": "kubeflow-verify", "dag": map[string]any{"tasks": []any{
				map[string]any{"name": "write", "template": "write"},
				map[string]any{"name": "read", "template": "read", "dependencies": []any{"write"},
					"arguments": artifacts(map[string]any{"name": "word", "from": "{{tasks.write.outputs.artifacts.word}}"})},
			}}},
		}},
	}
}
