package signin

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/process"
)

// A container is what a kubelet gives to a program.
type container struct {
	client kubernetes.Interface
	pod    *corev1.Pod
	spec   *corev1.Container
	dir    string // below which its files are

	env   map[string]string
	paths *strings.Replacer // leads paths of mounted files to their copies
}

// open reads a container's environment and copies its files.
func open(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, name, dir string) (*container, error) {
	c := &container{client: client, pod: pod, spec: containerOf(pod, name), dir: dir, env: map[string]string{}}
	if err := c.readEnv(ctx); err != nil {
		return nil, err
	}
	var pairs []string
	mounts := slices.Clone(c.spec.VolumeMounts)
	slices.SortFunc(mounts, func(a, b corev1.VolumeMount) int { return len(b.MountPath) - len(a.MountPath) })
	for _, mount := range mounts {
		pairs = append(pairs, mount.MountPath, filepath.Join(dir, "root", mount.MountPath))
	}
	c.paths = strings.NewReplacer(pairs...)
	for _, mount := range mounts {
		if err := c.mount(ctx, mount); err != nil {
			return nil, err
		}
	}
	return c, c.workloadIdentity(ctx)
}

func containerOf(pod *corev1.Pod, name string) *corev1.Container {
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name == name {
			return &pod.Spec.Containers[i]
		}
	}
	return nil
}

// mount copies the files of a volume. Volumes of other kinds are empty folders.
func (c *container) mount(ctx context.Context, mount corev1.VolumeMount) error {
	at := slices.IndexFunc(c.pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name })
	if at < 0 {
		return fmt.Errorf("there is no volume %s", mount.Name)
	}
	files, err := c.files(ctx, &c.pod.Spec.Volumes[at])
	if err != nil {
		return fmt.Errorf("%w: MountVolume.SetUp failed for volume %q: %w", process.ErrWaiting, mount.Name, err)
	}
	to := filepath.Join(c.dir, "root", mount.MountPath)
	if mount.SubPath != "" {
		text, ok := files[mount.SubPath]
		if !ok {
			return os.MkdirAll(to, 0o700) // as a kubelet does
		}
		return c.write(to, text)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for name, text := range files {
		if err := c.write(filepath.Join(to, filepath.Clean("/"+name)), text); err != nil {
			return err
		}
	}
	return nil
}

func (c *container) write(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(c.paths.Replace(string(text))), 0o600)
}

// files returns the files of a volume by their paths.
func (c *container) files(ctx context.Context, v *corev1.Volume) (map[string][]byte, error) {
	switch {
	case v.ConfigMap != nil:
		return c.configMap(ctx, v.ConfigMap.Name, v.ConfigMap.Items, v.ConfigMap.Optional)
	case v.Secret != nil:
		return c.secret(ctx, v.Secret.SecretName, v.Secret.Items, v.Secret.Optional)
	case v.Projected == nil:
		return nil, nil
	}
	all := map[string][]byte{}
	for _, source := range v.Projected.Sources {
		var some map[string][]byte
		var err error
		switch {
		case source.ConfigMap != nil:
			some, err = c.configMap(ctx, source.ConfigMap.Name, source.ConfigMap.Items, source.ConfigMap.Optional)
		case source.Secret != nil:
			some, err = c.secret(ctx, source.Secret.Name, source.Secret.Items, source.Secret.Optional)
		case source.ServiceAccountToken != nil:
			some, err = c.token(ctx, source.ServiceAccountToken)
		}
		if err != nil {
			return nil, err
		}
		for name, text := range some {
			all[name] = text
		}
	}
	return all, nil
}

func (c *container) configMap(ctx context.Context, name string, items []corev1.KeyToPath, optional *bool) (map[string][]byte, error) {
	found, err := c.client.CoreV1().ConfigMaps(c.pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, unless(optional, err)
	}
	data := map[string][]byte{}
	for key, text := range found.Data {
		data[key] = []byte(text)
	}
	for key, text := range found.BinaryData {
		data[key] = text
	}
	return only(data, items), nil
}

func (c *container) secret(ctx context.Context, name string, items []corev1.KeyToPath, optional *bool) (map[string][]byte, error) {
	found, err := c.client.CoreV1().Secrets(c.pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, unless(optional, err)
	}
	return only(found.Data, items), nil
}

func only(data map[string][]byte, items []corev1.KeyToPath) map[string][]byte {
	if len(items) == 0 {
		return data
	}
	some := map[string][]byte{}
	for _, item := range items {
		if text, ok := data[item.Key]; ok {
			some[path.Clean(item.Path)] = text
		}
	}
	return some
}

// unless returns the error of an object that may be absent only if it is another one.
func unless(optional *bool, err error) error {
	if optional != nil && *optional && apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

var reference = regexp.MustCompile(`\$\(([A-Za-z_][A-Za-z0-9_]*)\)`)

// expand resolves references to the container's environment, and leads to the copies of its files.
func (c *container) expand(text string) string {
	text = reference.ReplaceAllStringFunc(text, func(found string) string {
		if value, ok := c.env[found[2:len(found)-1]]; ok {
			return value
		}
		return found
	})
	return c.paths.Replace(text)
}
