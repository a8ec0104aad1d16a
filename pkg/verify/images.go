package verify

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Use is what a test needs an image for. Images are those that the cluster already has or offers, so that a test needs no
// other registry than Kubeflow itself.
type Use string

// The uses.
const (
	Shell    Use = "shell"    // has sh: that of Pipelines' profile controller
	Notebook Use = "notebook" // the default of the form for new notebooks
)

// Images returns the images that tests run, after --image, in the order of their names.
func Images(ctx context.Context, client *cluster.Client, o Options) ([]string, error) {
	s := newSession(client, o)
	var all []string
	for _, test := range o.Tests {
		for _, use := range test.Uses {
			image, err := s.imageOf(ctx, use)
			if err != nil {
				return nil, err
			}
			all = append(all, image)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// imageOf returns the image for a use, replaced as --image says.
func (s *Session) imageOf(ctx context.Context, use Use) (string, error) {
	if image := s.options.Images[string(use)]; image != "" {
		return image, nil
	}
	find := map[Use]func(context.Context) (string, error){Shell: s.shellImage, Notebook: s.notebookImage}[use]
	image, err := find(ctx)
	if apierrors.IsForbidden(err) {
		image, err = s.offered(ctx, err)
	}
	if err != nil {
		return "", err
	}
	if image == "" {
		return "", &problem.Error{What: "this cluster names no image for a " + string(use), Next: "Name one with: --image " + string(use) + "=IMAGE"}
	}
	return replaced(image, use, s.options.Images), nil
}

// replaced returns the image that replaces one: by its use, its name, or the longest prefix of it that ends at a slash or colon.
func replaced(image string, use Use, images map[string]string) string {
	if to := images[string(use)]; to != "" {
		return to
	}
	best := ""
	for from := range images {
		rest, ok := strings.CutPrefix(image, from)
		if ok && len(from) > len(best) && (rest == "" || strings.HasSuffix(from, "/") || rest[0] == '/' || rest[0] == ':' || rest[0] == '@') {
			best = from
		}
	}
	return images[best] + strings.TrimPrefix(image, best)
}

// shellImage is the image of Pipelines' profile controller, which is Python or Alpine in all releases.
func (s *Session) shellImage(ctx context.Context) (string, error) {
	o, err := cluster.IgnoreNotFound(s.View.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "kubeflow", Name: "kubeflow-pipelines-profile-controller"}))
	if err != nil {
		return "", err
	}
	if o != nil {
		for _, c := range kube.Items(o.Object, "spec", "template", "spec", "containers") {
			if image := kube.Text(c, "image"); image != "" && kube.Text(c, "name") != "istio-proxy" {
				return image, nil
			}
		}
	}
	return s.notebookImage(ctx)
}

// notebookImage is the default of the form for new notebooks.
func (s *Session) notebookImage(ctx context.Context) (string, error) {
	configs, err := s.View.List(ctx, kube.ConfigMapKind, cluster.Scope{Namespace: "kubeflow"})
	if err != nil {
		return "", err
	}
	for _, config := range configs {
		if !strings.HasPrefix(config.GetName(), "jupyter-web-app") {
			continue
		}
		var form struct {
			Defaults struct {
				Image struct{ Value string }
			} `json:"spawnerFormDefaults"`
		}
		if bounded.Unmarshal(kube.Text(config.Object, "data", "spawner_ui_config.yaml"), &form) == nil && form.Defaults.Image.Value != "" {
			return form.Defaults.Image.Value, nil
		}
	}
	return "", nil
}
