package azure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/atomicfile"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Merged is a kubeconfig with new credentials.
type Merged struct {
	File     string
	Context  string
	Replaced []string // entries that were there with another content
	Backup   string   // of the file as it was, if entries were replaced
}

// Merge writes credentials to a kubeconfig, as "az aks get-credentials" does, and makes their context the current one.
// Nothing else in it changes. A file whose entries are replaced is kept.
func Merge(ctx context.Context, file string, from *api.Config, now time.Time) (*Merged, error) {
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target // the user's own link stays one
	}
	root, err := atomicfile.Folder(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("opening the folder of the kubeconfig: %w", err)
	}
	defer func() { _ = root.Close() }()
	base := filepath.Base(file)
	unlock, err := lockFile(ctx, root, base+".lock")
	if err != nil {
		return nil, err
	}
	defer unlock()
	before, err := bounded.File(ctx, file, bounded.Config)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	config, err := clientcmd.Load(before)
	if err != nil {
		return nil, &problem.Error{What: file + " cannot be read as a kubeconfig", Next: "Correct it, or write to another file with --kubeconfig", Err: err}
	}
	merged := &Merged{File: file, Context: from.CurrentContext, Replaced: add(config, from)}
	after, err := clientcmd.Write(*config)
	if err != nil {
		return nil, fmt.Errorf("encoding the kubeconfig: %w", err)
	}
	if len(merged.Replaced) > 0 {
		name := base + ".before-" + now.UTC().Format("20060102-150405")
		if err := atomicfile.Write(root, name, before, atomicfile.Secret); err != nil {
			return nil, fmt.Errorf("keeping a copy of the kubeconfig: %w", err)
		}
		merged.Backup = filepath.Join(filepath.Dir(file), name)
	}
	if bytes.Equal(before, after) {
		return merged, nil
	}
	if err := atomicfile.Write(root, base, after, atomicfile.Secret); err != nil {
		return nil, fmt.Errorf("writing the kubeconfig: %w", err)
	}
	return merged, nil
}

// add puts the entries of one kubeconfig into another, and names those that it replaces.
func add(config, from *api.Config) (replaced []string) {
	for name, entry := range from.Clusters {
		old := config.Clusters[name]
		if old != nil && (old.Server != entry.Server || !bytes.Equal(old.CertificateAuthorityData, entry.CertificateAuthorityData)) {
			replaced = append(replaced, "cluster "+name)
		}
		config.Clusters[name] = entry
	}
	for name, entry := range from.AuthInfos {
		if old := config.AuthInfos[name]; old != nil && !sameUser(old, entry) {
			replaced = append(replaced, "user "+name)
		}
		config.AuthInfos[name] = entry
	}
	for name, entry := range from.Contexts {
		old := config.Contexts[name]
		if old != nil {
			if old.Cluster != entry.Cluster || old.AuthInfo != entry.AuthInfo {
				replaced = append(replaced, "context "+name)
			} else {
				entry.Namespace = old.Namespace // the user's choice
			}
		}
		config.Contexts[name] = entry
	}
	config.CurrentContext = from.CurrentContext
	return replaced
}

func sameUser(a, b *api.AuthInfo) bool {
	same := bytes.Equal(a.ClientCertificateData, b.ClientCertificateData) && bytes.Equal(a.ClientKeyData, b.ClientKeyData) && a.Token == b.Token && (a.Exec == nil) == (b.Exec == nil)
	return same && (a.Exec == nil || a.Exec.Command == b.Exec.Command && reflect.DeepEqual(a.Exec.Args, b.Exec.Args))
}

// lockFile takes the lock that kubectl takes before it writes a kubeconfig.
func lockFile(ctx context.Context, root *os.Root, name string) (unlock func(), err error) {
	for range 50 {
		file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL, 0)
		if err == nil {
			_ = file.Close()
			return func() { _ = root.Remove(name) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("locking the kubeconfig: %w", err)
		}
		if err := kube.Sleep(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return nil, &problem.Error{What: "another program writes the kubeconfig: " + name + " exists", Next: "If none does, delete that file, and run the same command again"}
}

func credentialsCommand(group, name string) string {
	return "kubectl kubeflow cluster credentials " + escape.Words(name, "--resource-group", group)
}
