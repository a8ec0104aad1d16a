package kfdef

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A KfDef is kfctl's description of a Kubeflow: applications, each a folder of kustomizations in a
// repository. Versions v1 and v1beta1 of kfdef.apps.kubeflow.org have the same shape here.
type KfDef struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name,omitempty"`
		Namespace string `json:"namespace,omitempty"`
	} `json:"metadata"`
	Spec struct {
		Version      string        `json:"version,omitempty"`
		Applications []Application `json:"applications"`
		Repos        []Repo        `json:"repos"`
		// Plugins prepared a cloud for kfctl, and Secrets were passed to them.
		Plugins []struct {
			Kind string `json:"kind"`
		} `json:"plugins,omitempty"`
		Secrets []struct {
			Name string `json:"name"`
		} `json:"secrets,omitempty"`
	} `json:"spec"`
}

// An Application is one component of a KfDef.
type Application struct {
	Name            string           `json:"name"`
	KustomizeConfig *KustomizeConfig `json:"kustomizeConfig"`
}

// A KustomizeConfig says where an application's kustomization is and how kfctl changed it.
type KustomizeConfig struct {
	RepoRef    *RepoRef    `json:"repoRef"`
	Overlays   []string    `json:"overlays,omitempty"`
	Parameters []Parameter `json:"parameters,omitempty"`
}

// A RepoRef is a folder in one of the KfDef's repositories.
type RepoRef struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

// A Parameter replaces a value in the application's params.env.
type Parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Repo is where manifests come from: an archive's URL, or a local archive or folder.
type Repo struct {
	Name string `json:"name"`
	URI  string `json:"uri"`
}

const Group = "kfdef.apps.kubeflow.org"

// Parse reads and checks a KfDef. name is its name in messages.
func Parse(name string, content []byte) (*KfDef, error) {
	def, err := readKfDef(content)
	if err != nil {
		return nil, &problem.Error{Usage: true, What: name + " is not a KfDef that can be read", Next: "Correct the file", Err: err}
	}
	if def.APIVersion == Group+"/v1alpha1" {
		return nil, &problem.Error{
			Usage: true,
			What:  name + " is a KfDef of version v1alpha1, of Kubeflow 0.6 and older, which is not supported; v1 and v1beta1 are",
			Next:  "Install a newer release; kubectl kubeflow releases lists them",
		}
	}
	if err := def.check(); err != nil {
		return nil, &problem.Error{Usage: true, What: name + " cannot be used as a KfDef", Next: "Correct the file", Err: err}
	}
	if len(def.Spec.Plugins) > 0 {
		return nil, &problem.Error{
			Usage: true,
			What:  fmt.Sprintf("%s asks for kfctl's plugin %s, which prepares another cloud and does not exist here", name, def.Spec.Plugins[0].Kind),
			Next:  "Take spec.plugins out of the KfDef, or use one for Azure or any Kubernetes, such as kfctl_k8s_istio.v1.2.0.yaml",
		}
	}
	def.Metadata.Name = cmp.Or(def.Metadata.Name, "kubeflow")
	def.Metadata.Namespace = cmp.Or(def.Metadata.Namespace, "kubeflow")
	return def, nil
}

// readKfDef reports fields of the wrong type in readable words.
func readKfDef(content []byte) (*KfDef, error) {
	if err := bounded.YAML(content); err != nil {
		return nil, err
	}
	plain, err := yaml.YAMLToJSON(content)
	if err != nil {
		return nil, PlainYAML(err)
	}
	var def KfDef
	err = json.Unmarshal(plain, &def)
	var shape *json.UnmarshalTypeError
	if errors.As(err, &shape) {
		return nil, fmt.Errorf("its %s cannot be a %s", shape.Field, strings.NewReplacer("array", "list", "object", "map", "string", "text").Replace(shape.Value))
	}
	return &def, err
}

func (d *KfDef) check() error {
	switch d.APIVersion {
	case Group + "/v1", Group + "/v1beta1":
	default:
		return fmt.Errorf("its apiVersion is %q, not %s/v1 or v1beta1", d.APIVersion, Group)
	}
	if d.Kind != "KfDef" {
		return fmt.Errorf("its kind is %q, not KfDef", d.Kind)
	}
	if len(d.Spec.Applications) == 0 {
		return fmt.Errorf("it lists no applications")
	}
	repos := map[string]bool{}
	for i, repo := range d.Spec.Repos {
		if repo.Name == "" || repo.URI == "" {
			return fmt.Errorf("repository %d has no name or no uri", i+1)
		}
		repos[repo.Name] = true
	}
	return d.checkApplications(repos)
}

func (d *KfDef) checkApplications(repos map[string]bool) error {
	seen := map[string]bool{}
	for i, app := range d.Spec.Applications {
		switch {
		case app.Name == "":
			return fmt.Errorf("application %d has no name", i+1)
		case seen[app.Name]:
			return fmt.Errorf("application %s is listed twice", app.Name)
		case app.KustomizeConfig == nil || app.KustomizeConfig.RepoRef == nil:
			return fmt.Errorf("application %s has no kustomizeConfig.repoRef", app.Name)
		}
		seen[app.Name] = true
		ref := app.KustomizeConfig.RepoRef
		if !repos[ref.Name] {
			return fmt.Errorf("application %s is in repository %q, which the KfDef does not list", app.Name, ref.Name)
		}
		for _, name := range append([]string{ref.Path}, app.KustomizeConfig.Overlays...) {
			if clean := path.Clean(name); path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
				return fmt.Errorf("application %s's path %q leads out of its repository", app.Name, name)
			}
		}
	}
	return nil
}

// Stacks reports whether kfctl would have used the folders as they are, which it did for the whole
// KfDef once one application was called kubeflow-apps: overlays and parameters then have no effect.
func (d *KfDef) Stacks() bool {
	for _, app := range d.Spec.Applications {
		if app.Name == "kubeflow-apps" {
			return true
		}
	}
	return false
}

// PlainYAML removes the libraries' names from an error about YAML.
func PlainYAML(err error) error {
	text := strings.Join(strings.Fields(err.Error()), " ")
	for _, prefix := range []string{"error converting YAML to JSON: ", "error unmarshaling JSON: while decoding JSON: ", "json: ", "yaml: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return errors.New(strings.ReplaceAll(text, "Go struct field ", "field "))
}
