package appdir

import (
	"cmp"
	"fmt"
	"io/fs"
	"regexp"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// The API version and kind of a Config.
const (
	ConfigVersion = "kubeflow.install/v1alpha1"
	ConfigKind    = "ApplicationDirectory"
)

// A Config is an application directory's kubeflow.yaml.
type Config struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind,omitempty"`
	// Name is the installation's name; empty for the default.
	Name string `json:"name,omitempty"`
	// Namespace is the namespace for objects without one.
	Namespace string `json:"namespace,omitempty"`
	// Adapt is how install adapts the objects to the cluster: auto, aks or none.
	Adapt string `json:"adapt,omitempty"`
	// GitOps is how the objects are written for a program that applies them from Git; nil if they are not.
	GitOps *GitOps `json:"gitops,omitempty"`
	// Build is what a build starts from.
	Build Source `json:"build"`
	// Components are installed, in this order: each the kustomization in kustomize/NAME.
	Components []string `json:"components"`
	// Images replace others, in all components.
	Images []Image `json:"images,omitempty"`
}

// A Source is what a directory is built from: a release or a file, and a selection of its components.
type Source struct {
	Release   string   `json:"release,omitempty"`
	Filename  string   `json:"filename,omitempty"`
	Component []string `json:"component,omitempty"`
	Skip      []string `json:"skip,omitempty"`
	Mirror    string   `json:"mirror,omitempty"`
}

// An Image replaces an image's name, tag or digest, as in a kustomization.
type Image struct {
	Name    string `json:"name"`
	NewName string `json:"newName,omitempty"`
	NewTag  string `json:"newTag,omitempty"`
	Digest  string `json:"digest,omitempty"`
}

// A GitOps says for which program gitops/ is written, and where that program finds this directory.
type GitOps struct {
	// Format is plain, argocd or flux.
	Format string `json:"format"`
	// Repository is the URL of the Git repository, and Revision its branch; unset, they are placeholders, and main.
	Repository string `json:"repository,omitempty"`
	Revision   string `json:"revision,omitempty"`
	// Path is this directory's path in the repository; unset, that of the Git repository around it.
	Path string `json:"path,omitempty"`
}

// GitOpsFormats are the values of GitOps.Format.
var GitOpsFormats = []string{"plain", "argocd", "flux"}

// Adaptations are the values of Adapt.
var Adaptations = []string{"auto", "aks", "none"}

// nameRule is the guide's: lower-case letters, digits and '-', at most 25.
var nameRule = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,23}[a-z0-9])?$`)

// componentRule keeps a component's name usable as a folder name.
var componentRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// ValidName reports whether a name is valid for an installation.
func ValidName(name string) bool { return nameRule.MatchString(name) }

// ParseConfig reads a kubeflow.yaml; an unknown field is an error.
func ParseConfig(name string, content []byte) (Config, error) {
	var c Config
	if err := cmp.Or(bounded.Size(content, bounded.Config), bounded.YAML(content)); err != nil {
		return c, &problem.Error{Usage: true, What: name + " cannot be read", Next: "Correct it, or build into a new directory", Err: err}
	}
	if err := yaml.UnmarshalStrict(content, &c); err != nil {
		return c, &problem.Error{Usage: true, What: name + " cannot be read", Next: "Correct it, or build into a new directory", Err: err}
	}
	if err := c.check(); err != nil {
		return c, &problem.Error{Usage: true, What: name + " cannot be used", Next: "Correct it, or build into a new directory", Err: err}
	}
	return c, nil
}

func (c Config) check() error {
	switch {
	case c.APIVersion != ConfigVersion || c.Kind != ConfigKind:
		return fmt.Errorf("it is %q of %q, not %s of %s", c.Kind, c.APIVersion, ConfigKind, ConfigVersion)
	case c.Name != "" && !ValidName(c.Name):
		return fmt.Errorf("its name %q is not at most 25 lower-case letters, digits and '-'", c.Name)
	case c.Adapt != "" && !slices.Contains(Adaptations, c.Adapt):
		return fmt.Errorf("its adapt is %q, not auto, aks or none", c.Adapt)
	case c.GitOps != nil && !slices.Contains(GitOpsFormats, c.GitOps.Format):
		return fmt.Errorf("the format of its gitops is %q, not plain, argocd or flux", c.GitOps.Format)
	case c.GitOps != nil && c.GitOps.Path != "" && !fs.ValidPath(c.GitOps.Path):
		return fmt.Errorf("the path of its gitops is %q, not a path in a repository, such as clusters/kubeflow", c.GitOps.Path)
	case (c.Build.Release == "") == (c.Build.Filename == ""):
		return fmt.Errorf("its build needs a release or a filename, and not both")
	case len(c.Components) == 0:
		return fmt.Errorf("it lists no components")
	}
	for i, name := range c.Components {
		if !componentRule.MatchString(name) {
			return fmt.Errorf("%q is no component's name", name)
		}
		if slices.Contains(c.Components[:i], name) {
			return fmt.Errorf("component %s is listed twice", name)
		}
	}
	for _, image := range c.Images {
		if image.Name == "" || image == (Image{Name: image.Name}) {
			return fmt.Errorf("each of its images needs a name, and a newName, a newTag or a digest")
		}
	}
	return nil
}

const configHead = `# What this directory was made of, and what "kubectl kubeflow install --dir" takes from it.
# Yours to edit: take components out or reorder them, set images. A build keeps that.
`

// encode returns the file's content.
func (c Config) encode() ([]byte, error) {
	head := fmt.Sprintf("%sapiVersion: %s\nkind: %s\n", configHead, ConfigVersion, ConfigKind)
	c.APIVersion, c.Kind = "", "" // written first
	content, err := yaml.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", configFile, err)
	}
	return append([]byte(head), content...), nil
}
