package pipelines

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var workflows = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflows"}

func (s *Server) createRun(in *request) (any, error) {
	id := belongs(in.body, "EXPERIMENT")
	name := text(in.body, "name")
	if in.v2 {
		id, name = text(in.body, "experiment_id"), text(in.body, "display_name")
	}
	e, err := s.experiment(id)
	if err == nil {
		err = s.authorize(in, "create", "runs", e.Namespace)
	}
	if err != nil {
		return nil, err
	}
	o, err := s.workflow(in)
	if err != nil {
		return nil, err
	}
	r := run{ID: uuid(), Name: name, Namespace: e.Namespace, Experiment: e.ID, Created: time.Now()}
	prefix := o.GetGenerateName()
	if prefix == "" {
		prefix = o.GetName() + "-"
	}
	o.SetName(prefix + r.ID[:5])
	o.SetGenerateName("")
	o.SetNamespace(e.Namespace)
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels["pipeline/runid"] = r.ID
	o.SetLabels(labels)
	if account := text(in.body, "service_account"); account != "" {
		_ = unstructured.SetNestedField(o.Object, account, "spec", "serviceAccountName")
	}
	made, err := s.dynamic.Resource(workflows).Namespace(e.Namespace).Create(in.Context(), o, metav1.CreateOptions{FieldManager: "apiserver"})
	if err != nil {
		return nil, err
	}
	r.Workflow = made.GetName()
	add(&s.records, &s.records.runs, r)
	return r.answer(in.v2, made), nil
}

// workflow is the Workflow of the body's pipeline.
func (s *Server) workflow(in *request) (*unstructured.Unstructured, error) {
	spec, _ := in.body["pipeline_spec"].(map[string]any)
	if in.v2 && spec == nil {
		reference, _ := in.body["pipeline_version_reference"].(map[string]any)
		if reference["pipeline_id"] != tutorialID {
			return nil, missing("Pipeline", text(reference, "pipeline_id"))
		}
		return tutorial(), nil
	}
	if in.v2 {
		return compile(spec)
	}
	if text(spec, "pipeline_id") == tutorialID {
		return tutorial(), nil
	}
	o := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(text(spec, "workflow_manifest")), &o.Object); err != nil {
		return nil, &failure{http.StatusBadRequest, 3, "InvalidInputError: Failed to unmarshal the workflow spec manifest: " + err.Error()}
	}
	return o, nil
}

// get returns a run with its Workflow, which may be gone.
func (s *Server) get(in *request, verb string) (run, *unstructured.Unstructured, error) {
	id := in.PathValue("id")
	found := find(&s.records, &s.records.runs, func(r run) bool { return r.ID == id })
	if len(found) == 0 {
		return run{}, nil, missing("Run", id)
	}
	r := found[0]
	if err := s.authorize(in, verb, "runs", r.Namespace); err != nil {
		return r, nil, err
	}
	o, err := s.dynamic.Resource(workflows).Namespace(r.Namespace).Get(in.Context(), r.Workflow, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return r, &unstructured.Unstructured{Object: map[string]any{}}, nil
	}
	return r, o, err
}

func (s *Server) getRun(in *request) (any, error) {
	r, o, err := s.get(in, "get")
	if err != nil {
		return nil, err
	}
	return r.answer(in.v2, o), nil
}

func (s *Server) listRuns(in *request) (any, error) {
	namespace, id := asked(in)
	if id != "" {
		e, err := s.experiment(id)
		if err != nil {
			return nil, err
		}
		namespace = e.Namespace
	}
	if err := s.authorize(in, "list", "runs", namespace); err != nil {
		return nil, err
	}
	all := []any{}
	for _, r := range find(&s.records, &s.records.runs, func(r run) bool { return r.Namespace == namespace && (id == "" || r.Experiment == id) }) {
		one := r.answer(in.v2, &unstructured.Unstructured{Object: map[string]any{}})
		if !in.v2 {
			one, _ = one["run"].(map[string]any)
		}
		all = append(all, one)
	}
	return map[string]any{"runs": all, "total_size": len(all)}, nil
}

func (s *Server) deleteRun(in *request) (any, error) {
	r, _, err := s.get(in, "delete")
	if err != nil {
		return nil, err
	}
	background := metav1.DeletePropagationBackground
	err = s.dynamic.Resource(workflows).Namespace(r.Namespace).Delete(in.Context(), r.Workflow, metav1.DeleteOptions{PropagationPolicy: &background})
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	drop(&s.records, &s.records.runs, func(o run) bool { return o.ID == r.ID })
	return map[string]any{}, nil
}

// readArtifact reads an artifact of a node from the object store.
func (s *Server) readArtifact(in *request) (any, error) {
	r, o, err := s.get(in, "readArtifact")
	if err != nil {
		return nil, err
	}
	name, _ := strings.CutSuffix(in.PathValue("artifact"), ":read")
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "nodes", in.PathValue("node"), "outputs", "artifacts")
	for _, item := range list {
		artifact, _ := item.(map[string]any)
		key, _, _ := unstructured.NestedString(artifact, "s3", "key")
		if artifact["name"] != name || key == "" {
			continue
		}
		objects, err := s.objects(in.Context(), system)
		if err != nil {
			return nil, err
		}
		content, err := objects.Get(in.Context(), key)
		if err != nil {
			return nil, err
		}
		return map[string]any{"data": content}, nil
	}
	return nil, missing("artifact", r.ID+"/"+name)
}
