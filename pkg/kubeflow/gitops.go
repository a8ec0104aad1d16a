package kubeflow

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/gitops"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/appdir"
)

// gitOps is the directory's configuration of gitops/ with what the options say.
func (o BuildOptions) gitOps(have *appdir.GitOps) *appdir.GitOps {
	switch {
	case o.Format == "":
		return have
	case o.Format == "none":
		return nil
	}
	want := appdir.GitOps{}
	if have != nil {
		want = *have
	}
	want.Format = o.Format
	return &want
}

// putGitOps writes the objects in waves, for the program that the directory's configuration names.
func (b *Built) putGitOps(ctx context.Context, notify Notify) error {
	config := b.Config.GitOps
	if config == nil {
		b.PutGitOps(nil)
		return nil
	}
	o := InstallOptions{Source: Source{Name: b.Config.Name, File: b.Config.Build.Filename}, Namespace: b.Config.Namespace, Adapt: b.Config.Adapt}
	components, _, err := o.adaptForAKS(ctx, cluster.Objects("no cluster", nil), b.Rendered.Components)
	if err != nil {
		return err
	}
	decided, err := planWithoutCluster(ctx, o.request(b.Rendered, components))
	if err != nil {
		return err
	}
	repository := redact.URL(config.Repository)
	if repository != config.Repository {
		notify.warn("gitops/ has the address of the repository without its credentials: give them to the program that reads it, and remove them from %s", filepath.Join(b.Path, "kubeflow.yaml"))
	}
	files, waves, err := gitops.Files(decided, gitops.Options{
		Format: config.Format, Name: decided.Name, Repository: cmp.Or(repository, gitops.Placeholder), Revision: cmp.Or(config.Revision, "main"),
		Path: path.Join(cmp.Or(config.Path, pathInRepository(b.Path)), "gitops"),
	})
	if err != nil {
		return err
	}
	b.PutGitOps(files)
	b.Waves = waves
	notify.say("%s", gitOpsSentence(b, len(decided.Objects)))
	if config.Format != "plain" && config.Repository == "" {
		notify.warn("gitops.repository is not set in %s: set it to the URL of your Git repository, then build again", filepath.Join(b.Path, "kubeflow.yaml"))
	}
	return nil
}

// gitOpsSentence says what is in gitops/ and how it is applied.
func gitOpsSentence(b *Built, objects int) string {
	folder := filepath.Join(b.Path, "gitops")
	how := map[string]string{
		"plain":  "apply each folder when all of the one before is ready: kubectl apply --server-side -k " + escape.Word(filepath.Join(folder, "wave-00")),
		"argocd": "commit it, then: kubectl apply -f " + escape.Word(filepath.Join(folder, "application.yaml")),
		"flux":   "commit it, then: kubectl apply -f " + escape.Word(filepath.Join(folder, "flux.yaml")),
	}
	return fmt.Sprintf("%s holds %d objects in %s; %s", folder, objects, text.Plural(b.Waves, "wave"), how[b.Config.GitOps.Format])
}

// pathInRepository returns the path of a directory in the Git repository around it, "" if there is none.
func pathInRepository(dir string) string {
	whole := wholePath(dir)
	for at := whole; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			if inside, err := filepath.Rel(at, whole); err == nil {
				return filepath.ToSlash(inside)
			}
		}
		if at == filepath.Dir(at) {
			return ""
		}
	}
}
