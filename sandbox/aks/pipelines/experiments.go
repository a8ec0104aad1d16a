package pipelines

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// owns reports whether a user owns a profile namespace.
func (s *Server) owns(ctx context.Context, user, namespace string) bool {
	found, err := s.client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
	return err == nil && found.Annotations["owner"] == user
}

// belongs returns the ID of what a body of the older API belongs to.
func belongs(body map[string]any, kind string) string {
	list, _ := body["resource_references"].([]any)
	for _, item := range list {
		reference, _ := item.(map[string]any)
		key, _ := reference["key"].(map[string]any)
		if key["type"] == kind {
			id, _ := key["id"].(string)
			return id
		}
	}
	return ""
}

// asked returns the namespace and the experiment that a list is limited to.
func asked(in *request) (namespace, experiment string) {
	query := in.URL.Query()
	if in.v2 {
		return query.Get("namespace"), query.Get("experiment_id")
	}
	switch query.Get("resource_reference_key.type") {
	case "NAMESPACE":
		return query.Get("resource_reference_key.id"), ""
	case "EXPERIMENT":
		return "", query.Get("resource_reference_key.id")
	}
	return "", ""
}

func text(of map[string]any, key string) string {
	value, _ := of[key].(string)
	return value
}

func (s *Server) createExperiment(in *request) (any, error) {
	e := experiment{ID: uuid(), Name: text(in.body, "name"), Namespace: belongs(in.body, "NAMESPACE"), Created: time.Now()}
	if in.v2 {
		e.Name, e.Namespace = text(in.body, "display_name"), text(in.body, "namespace")
	}
	if err := s.authorize(in, "create", "experiments", e.Namespace); err != nil {
		return nil, err
	}
	add(&s.records, &s.records.experiments, e)
	return e.answer(in.v2), nil
}

func (e experiment) answer(v2 bool) map[string]any {
	if v2 {
		return map[string]any{"experiment_id": e.ID, "display_name": e.Name, "namespace": e.Namespace, "created_at": stamp(e.Created), "storage_state": "AVAILABLE"}
	}
	return map[string]any{"id": e.ID, "name": e.Name, "created_at": stamp(e.Created), "storage_state": "STORAGESTATE_AVAILABLE",
		"resource_references": []any{map[string]any{"key": map[string]any{"type": "NAMESPACE", "id": e.Namespace}, "relationship": "OWNER"}}}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (s *Server) listExperiments(in *request) (any, error) {
	namespace, _ := asked(in)
	if err := s.authorize(in, "list", "experiments", namespace); err != nil {
		return nil, err
	}
	all := []any{}
	for _, e := range find(&s.records, &s.records.experiments, func(e experiment) bool { return e.Namespace == namespace }) {
		all = append(all, e.answer(in.v2))
	}
	return map[string]any{"experiments": all, "total_size": len(all)}, nil
}

func (s *Server) experiment(id string) (experiment, error) {
	found := find(&s.records, &s.records.experiments, func(e experiment) bool { return e.ID == id })
	if len(found) == 0 {
		return experiment{}, missing("Experiment", id)
	}
	return found[0], nil
}

func (s *Server) deleteExperiment(in *request) (any, error) {
	e, err := s.experiment(in.PathValue("id"))
	if err == nil {
		err = s.authorize(in, "delete", "experiments", e.Namespace)
	}
	if err != nil {
		return nil, err
	}
	drop(&s.records, &s.records.experiments, func(o experiment) bool { return o.ID == e.ID })
	return map[string]any{}, nil
}
