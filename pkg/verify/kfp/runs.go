package kfp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// A Named is something that has an ID and a name.
type Named struct{ ID, Name string }

// A reference of the older API says what something belongs to.
type reference struct {
	Key struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"key"`
	Relationship string `json:"relationship"`
}

func owner(kind, id string) []reference {
	var r reference
	r.Key.Type, r.Key.ID, r.Relationship = kind, id, "OWNER"
	return []reference{r}
}

// within selects what is in a namespace, or belongs to an experiment.
func (c *Client) within(namespace, experiment string) url.Values {
	query := url.Values{"page_size": {"100"}}
	switch {
	case c.API == V2 && experiment != "":
		query.Set("experiment_id", experiment)
	case c.API == V2:
		query.Set("namespace", namespace)
	case experiment != "":
		query.Set("resource_reference_key.type", "EXPERIMENT")
		query.Set("resource_reference_key.id", experiment)
	default:
		query.Set("resource_reference_key.type", "NAMESPACE")
		query.Set("resource_reference_key.id", namespace)
	}
	return query
}

// An entity is an experiment, a run or a pipeline in either API.
type entity struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"display_name"`
	Experiment  string `json:"experiment_id"`
	Run         string `json:"run_id"`
	Pipeline    string `json:"pipeline_id"`
	Version     string `json:"pipeline_version_id"`
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// CreateExperiment creates an experiment in a namespace and returns its ID.
func (c *Client) CreateExperiment(ctx context.Context, namespace, name string) (string, error) {
	var body any = map[string]any{"display_name": name, "namespace": namespace}
	if c.API == V1 {
		body = map[string]any{"name": name, "resource_references": owner("NAMESPACE", namespace)}
	}
	var made entity
	err := c.call(ctx, http.MethodPost, "experiments", nil, body, &made)
	return first(made.Experiment, made.ID), err
}

// Experiments lists the experiments of a namespace.
func (c *Client) Experiments(ctx context.Context, namespace string) ([]Named, error) {
	var list struct{ Experiments []entity }
	err := c.call(ctx, http.MethodGet, "experiments", c.within(namespace, ""), nil, &list)
	var all []Named
	for _, e := range list.Experiments {
		all = append(all, Named{first(e.Experiment, e.ID), first(e.DisplayName, e.Name)})
	}
	return all, err
}

// DeleteExperiment deletes an experiment, not its runs.
func (c *Client) DeleteExperiment(ctx context.Context, id string) error {
	return ignoreMissing(c.call(ctx, http.MethodDelete, "experiments/"+url.PathEscape(id), nil, nil, nil))
}

// Runs lists the runs of an experiment, or those of a namespace if experiment is "".
func (c *Client) Runs(ctx context.Context, namespace, experiment string) ([]Named, error) {
	var list struct{ Runs []entity }
	err := c.call(ctx, http.MethodGet, "runs", c.within(namespace, experiment), nil, &list)
	var all []Named
	for _, r := range list.Runs {
		if id := first(r.Run, r.ID); id != "" {
			all = append(all, Named{id, first(r.DisplayName, r.Name)})
		}
	}
	return all, err
}

// DeleteRun deletes a run with its Workflow.
func (c *Client) DeleteRun(ctx context.Context, id string) error {
	return ignoreMissing(c.call(ctx, http.MethodDelete, "runs/"+url.PathEscape(id), nil, nil, nil))
}

func ignoreMissing(err error) error {
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// A Source is what a run runs: a specification, or a pipeline that the API server has.
type Source struct {
	Spec              map[string]any // v1beta1: an Argo Workflow; v2beta1: a pipeline in its intermediate representation
	Pipeline, Version string
}

// CreateRun starts a run and returns its ID.
func (c *Client) CreateRun(ctx context.Context, experiment, name, serviceAccount string, of Source) (string, error) {
	body := map[string]any{"service_account": serviceAccount}
	if c.API == V2 {
		body["display_name"], body["experiment_id"], body["runtime_config"] = name, experiment, map[string]any{}
		if of.Spec != nil {
			body["pipeline_spec"] = of.Spec
		} else {
			body["pipeline_version_reference"] = map[string]any{"pipeline_id": of.Pipeline, "pipeline_version_id": of.Version}
		}
	} else {
		body["name"], body["resource_references"] = name, owner("EXPERIMENT", experiment)
		spec := map[string]any{"pipeline_id": of.Pipeline}
		if of.Spec != nil {
			manifest, err := json.Marshal(of.Spec)
			if err != nil {
				return "", err
			}
			spec = map[string]any{"workflow_manifest": string(manifest)}
		}
		body["pipeline_spec"] = spec
	}
	var made struct {
		entity
		Detail entity `json:"run"`
	}
	if err := c.call(ctx, http.MethodPost, "runs", nil, body, &made); err != nil {
		return "", err
	}
	id := first(made.Run, made.Detail.ID)
	if id == "" {
		return "", errors.New("the API server returned no ID for the run")
	}
	return id, nil
}

// FindPipeline returns a pipeline that is shared by all namespaces, by one of its names; an empty Source if there is none.
func (c *Client) FindPipeline(ctx context.Context, names ...string) (Source, error) {
	var list struct{ Pipelines []entity }
	if err := c.call(ctx, http.MethodGet, "pipelines", url.Values{"page_size": {"100"}}, nil, &list); err != nil {
		return Source{}, err
	}
	for _, p := range list.Pipelines {
		for _, name := range names {
			if !strings.EqualFold(p.Name, name) && !strings.EqualFold(p.DisplayName, name) {
				continue
			}
			found := Source{Pipeline: first(p.Pipeline, p.ID)}
			if c.API == V1 {
				return found, nil
			}
			var versions struct {
				Versions []entity `json:"pipeline_versions"`
			}
			query := url.Values{"page_size": {"1"}, "sort_by": {"created_at desc"}}
			err := c.call(ctx, http.MethodGet, "pipelines/"+url.PathEscape(found.Pipeline)+"/versions", query, nil, &versions)
			if err == nil && len(versions.Versions) == 0 {
				err = errors.New("pipeline " + name + " has no version")
			}
			if err == nil {
				found.Version = versions.Versions[0].Version
			}
			return found, err
		}
	}
	return Source{}, nil
}

// Artifact reads an artifact that Argo stored for a step of a run, by the step's node.
func (c *Client) Artifact(ctx context.Context, run, node, name string) ([]byte, error) {
	var answer struct{ Data []byte }
	path := "runs/" + url.PathEscape(run) + "/nodes/" + url.PathEscape(node) + "/artifacts/" + url.PathEscape(name) + ":read"
	err := c.call(ctx, http.MethodGet, path, nil, nil, &answer)
	if err != nil {
		return nil, err
	}
	return unpack(answer.Data)
}
