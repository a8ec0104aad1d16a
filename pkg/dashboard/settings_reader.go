package dashboard

import (
	"context"
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// program returns what a container is started with: its arguments, its environment, and for oauth2-proxy its file, in the
// order in which it prefers them. hidden is why not all are known.
func (r *settingsReader) program(workload *unstructured.Unstructured, container map[string]any, product string) (all map[string]Setting, hidden string, err error) {
	all = map[string]Setting{}
	add := func(name string, s Setting) {
		if _, given := all[name]; !given {
			all[name] = s
		}
	}
	if product == "oauth2-proxy" {
		for _, s := range arguments(kube.Texts(container, "args")) {
			add(s.name, Setting{Value: strings.Join(s.values, ","), Set: true, Known: true, Object: workload, Field: "spec.template.spec.containers"})
		}
	}
	if product == "authservice" && container["env"] == nil && container["envFrom"] == nil { // as the releases have it
		container = map[string]any{"envFrom": []any{
			map[string]any{"configMapRef": map[string]any{"name": "oidc-authservice-parameters"}}, map[string]any{"secretRef": map[string]any{"name": "oidc-authservice-client"}},
		}}
	}
	environment, hidden, err := r.environment(workload, container)
	if err != nil {
		return nil, "", err
	}
	for name, s := range environment {
		if product == "oauth2-proxy" {
			short, ours := strings.CutPrefix(name, "OAUTH2_PROXY_")
			if !ours {
				continue
			}
			name = strings.ToLower(short)
		}
		add(name, s)
	}
	if product != "oauth2-proxy" || all["config"].Value == "" {
		return all, hidden, nil
	}
	file, err := r.file(workload, container, all["config"].Value)
	if err != nil {
		return nil, "", err
	}
	parsed, ok := parseProxyFile(file.Value)
	if !file.Known || !ok {
		return all, "its configuration file is not known", nil
	}
	for _, s := range parsed {
		add(s.name, Setting{Value: strings.Join(s.values, ","), Set: true, Known: true, Object: file.Object, Field: file.Field})
	}
	return all, hidden, nil
}

// environment returns the environment of a container, also of Secrets.
func (r *settingsReader) environment(workload *unstructured.Unstructured, container map[string]any) (all map[string]Setting, hidden string, err error) {
	all = map[string]Setting{}
	for _, from := range kube.Items(container, "envFrom") {
		for _, kind := range []string{"ConfigMap", "Secret"} {
			name := kube.Text(from, strings.ToLower(kind[:1])+kind[1:]+"Ref", "name")
			if name == "" {
				continue
			}
			o, err := r.data(kind, workload.GetNamespace(), name)
			if err != nil {
				return nil, "", err
			}
			if o == nil {
				hidden = fmt.Sprintf("%s %s is missing or may not be read", kind, name)
			}
			for _, key := range dataKeys(o) {
				all[kube.Text(from, "prefix")+key] = dataSetting(o, key)
			}
		}
	}
	for _, variable := range kube.Items(container, "env") {
		s := Setting{Value: kube.Text(variable, "value"), Set: true, Known: variable["valueFrom"] == nil, Object: workload, Field: "spec.template.spec.containers"}
		for _, kind := range []string{"ConfigMap", "Secret"} {
			source := kube.Map(variable, "valueFrom", strings.ToLower(kind[:1])+kind[1:]+"KeyRef")
			if source == nil {
				continue
			}
			o, err := r.data(kind, workload.GetNamespace(), kube.Text(source, "name"))
			if err != nil {
				return nil, "", err
			}
			if o != nil {
				s = dataSetting(o, kube.Text(source, "key"))
			}
		}
		all[kube.Text(variable, "name")] = s
	}
	return all, hidden, nil
}

// A settingsReader reads what programs are configured with.
type settingsReader struct {
	ctx     context.Context
	view    cluster.View
	refused error // the first object that may not be read
}

// data reads a ConfigMap or Secret; nil when it does not exist or may not be read.
func (r *settingsReader) data(kind, namespace, name string) (*unstructured.Unstructured, error) {
	o, err := cluster.IgnoreNotFound(r.view.Get(r.ctx, cluster.Ref{APIVersion: "v1", Kind: kind, Namespace: namespace, Name: name}))
	if apierrors.IsForbidden(err) {
		if r.refused == nil {
			r.refused = err
		}
		return nil, nil
	}
	return o, err
}

func dataKeys(o *unstructured.Unstructured) []string {
	if o == nil {
		return nil
	}
	keys := sortedKeys(kube.Map(o.Object, "data"))
	for _, key := range sortedKeys(kube.Map(o.Object, "stringData")) {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// dataSetting returns the value of a key of a ConfigMap or Secret.
func dataSetting(o *unstructured.Unstructured, key string) Setting {
	s := Setting{Set: true, Known: true, Object: o, Field: "data." + key, Key: key}
	plain, given := kube.Map(o.Object, "stringData")[key].(string)
	encoded, inData := kube.Map(o.Object, "data")[key].(string)
	switch {
	case given && o.GetKind() == "Secret":
		s.Value = plain
	case !inData:
		s.Set = false
	case o.GetKind() == "Secret":
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		s.Value, s.Known = string(decoded), err == nil
	default:
		s.Value = encoded
	}
	return s
}

// file returns the content of a file of a container that is mounted from a ConfigMap or Secret.
func (r *settingsReader) file(workload *unstructured.Unstructured, container map[string]any, file string) (Setting, error) {
	volume, key := mounted(workload, container, file)
	if volume == nil {
		return r.shipped(workload, path.Base(file))
	}
	source, kind, name := kube.Map(volume, "configMap"), "ConfigMap", kube.Text(volume, "configMap", "name")
	if source == nil {
		source, kind, name = kube.Map(volume, "secret"), "Secret", kube.Text(volume, "secret", "secretName")
	}
	for _, item := range kube.Items(source, "items") {
		if kube.Text(item, "path") == key {
			key = kube.Text(item, "key")
			break
		}
	}
	return r.key(kind, workload.GetNamespace(), name, key)
}

// key returns a value of a ConfigMap or Secret.
func (r *settingsReader) key(kind, namespace, name, key string) (Setting, error) {
	o, err := r.data(kind, namespace, name)
	if err != nil || o == nil {
		return Setting{}, err
	}
	s := dataSetting(o, key)
	s.Known = s.Known && s.Set
	return s, nil
}

// shipped returns a file that no volume of the container holds as the releases have it: in the ConfigMap of the workload's name.
func (r *settingsReader) shipped(workload *unstructured.Unstructured, key string) (Setting, error) {
	return r.key("ConfigMap", workload.GetNamespace(), workload.GetName(), key)
}
