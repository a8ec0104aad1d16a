package dashboard

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

var workloadKinds = []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind}

// A setting is one that an authenticator is started with.
type setting struct {
	name   string // canonical: skip_auth_routes
	values []string
	hidden bool // the value is in a Secret
}

// openSettings returns which setting of a known authenticator may let anonymous requests pass; "" when none does. What an
// authenticator of other makers is set to is their business.
func (a *authenticator) openSettings(ctx context.Context, view cluster.View, workload *unstructured.Unstructured) (string, error) {
	container, product := productOf(*a, workload)
	a.product = product
	if product == "" {
		return "", nil
	}
	if container == nil {
		return "runs with settings that are not known: nothing behind " + a.ref().String() + " is a Deployment or StatefulSet of it", nil
	}
	settings, why, err := settingsOf(ctx, view, workload, container, product)
	if err != nil || why != "" {
		return why, err
	}
	for _, s := range settings {
		if why := products[product](*a, s); why != "" {
			return why, nil
		}
	}
	return "", nil
}

// products judge one setting of an authenticator: why it may let anonymous requests pass, "" when it is known not to.
var products = map[string]func(authenticator, setting) string{"oauth2-proxy": proxySetting, "authservice": authserviceSetting}

// productOf recognises an authenticator by its image, or by the name of its Service.
func productOf(a authenticator, workload *unstructured.Unstructured) (container map[string]any, product string) {
	for _, name := range slices.Sorted(maps.Keys(products)) {
		if workload != nil {
			for _, c := range kube.Items(workload.Object, "spec", "template", "spec", "containers") {
				if strings.Contains(kube.Text(c, "image"), name) || kube.Text(c, "name") == name {
					return c, name
				}
			}
		}
		if strings.Contains(a.service+a.name, name) {
			product = name
		}
	}
	return nil, product
}

// settingsOf returns what a container is started with: its arguments, its environment, and for oauth2-proxy its file. why is what
// hides settings.
func settingsOf(ctx context.Context, view cluster.View, workload *unstructured.Unstructured, container map[string]any, product string) (all []setting, why string, err error) {
	for _, part := range kube.Texts(container, "command") {
		if strings.HasPrefix(part, "-") || path.Base(part) != product && path.Base(part) != "oidc-"+product {
			return nil, "is started by a command of its own, so that its settings are not known", nil
		}
	}
	all = arguments(kube.Texts(container, "args"))
	environment, why, err := environmentOf(ctx, view, workload.GetNamespace(), container)
	if err != nil || why != "" {
		return nil, why, err
	}
	for _, s := range environment {
		if product == "oauth2-proxy" {
			name, ours := strings.CutPrefix(s.name, "OAUTH2_PROXY_")
			if !ours {
				continue
			}
			s.name = strings.ToLower(name)
		}
		all = append(all, s)
	}
	for _, s := range all {
		if product != "oauth2-proxy" || s.name != "config" {
			continue
		}
		file, why, err := fileOf(ctx, view, workload, container, strings.Join(s.values, ""))
		if err != nil || why != "" {
			return nil, why, err
		}
		parsed, ok := parseProxyFile(file)
		if !ok {
			return nil, "has a configuration file that is not understood", nil
		}
		all = append(all, parsed...)
	}
	return all, "", nil
}

// arguments parses flags: --name=value, --name value and --name.
func arguments(args []string) []setting {
	var all []setting
	for i := 0; i < len(args); i++ {
		flag, isFlag := strings.CutPrefix(args[i], "-")
		if !isFlag {
			all = append(all, setting{name: args[i]})
			continue
		}
		name, value, given := strings.Cut(strings.TrimPrefix(flag, "-"), "=")
		s := setting{name: strings.ReplaceAll(name, "-", "_"), values: []string{value}}
		if !given {
			s.values = []string{"true"}
			if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				i++
				s.values = []string{args[i]}
			}
		}
		all = append(all, s)
	}
	return all
}

// environmentOf returns the environment of a container. Values in Secrets are not read.
func environmentOf(ctx context.Context, view cluster.View, namespace string, container map[string]any) (all []setting, why string, err error) {
	read := func(name string) (map[string]string, error) {
		o, err := cluster.IgnoreNotFound(view.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: namespace, Name: name}))
		if o == nil || err != nil {
			why = fmt.Sprintf("has settings in ConfigMap %s/%s, which does not exist", namespace, name)
			return nil, err
		}
		data, _, err := unstructured.NestedStringMap(o.Object, "data")
		return data, err
	}
	for _, from := range kube.Items(container, "envFrom") {
		secret, name := kube.Text(from, "secretRef", "name"), kube.Text(from, "configMapRef", "name")
		switch {
		case secret == "oidc-authservice-client": // Kubeflow's own: the ID and secret of the client
		case name == "":
			return nil, "has settings in Secret " + secret + ", which are not read", nil
		default:
			data, err := read(name)
			if err != nil {
				return nil, "", err
			}
			for _, key := range slices.Sorted(maps.Keys(data)) {
				all = append(all, setting{name: kube.Text(from, "prefix") + key, values: []string{data[key]}})
			}
		}
	}
	for _, variable := range kube.Items(container, "env") {
		s := setting{name: kube.Text(variable, "name"), values: []string{kube.Text(variable, "value")}}
		source := kube.Map(variable, "valueFrom")
		if name := kube.Text(source, "configMapKeyRef", "name"); name != "" {
			data, err := read(name)
			if err != nil {
				return nil, "", err
			}
			s.values = []string{data[kube.Text(source, "configMapKeyRef", "key")]}
		} else if source != nil {
			s.hidden = true
		}
		all = append(all, s)
	}
	return all, why, nil
}

// fileOf returns the content of a file of a container that is mounted from a ConfigMap.
func fileOf(ctx context.Context, view cluster.View, workload *unstructured.Unstructured, container map[string]any, file string) (content, why string, err error) {
	volume, key := mounted(workload, container, file)
	source := kube.Map(volume, "configMap")
	if source == nil || source["items"] != nil {
		return "", fmt.Sprintf("has its settings in file %s, which is not in a ConfigMap", file), nil
	}
	ref := cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: workload.GetNamespace(), Name: kube.Text(source, "name")}
	o, err := cluster.IgnoreNotFound(view.Get(ctx, ref))
	if err != nil {
		return "", "", err
	}
	if o != nil {
		if content = kube.Text(o.Object, "data", key); content != "" {
			return content, "", nil
		}
	}
	return "", fmt.Sprintf("has its settings in %s, which does not exist or has no %s", ref, key), nil
}

// mounted returns the volume that holds a file of a container, and the path of the file in it; nil if no volume does.
func mounted(workload *unstructured.Unstructured, container map[string]any, file string) (volume map[string]any, key string) {
	for _, mount := range kube.Items(container, "volumeMounts") {
		key, at := kube.Text(mount, "subPath"), kube.Text(mount, "mountPath")
		switch {
		case key != "" && at == file:
		case key == "" && path.Dir(file) == path.Clean(at):
			key = path.Base(file)
		default:
			continue
		}
		for _, volume := range kube.Items(workload.Object, "spec", "template", "spec", "volumes") {
			if kube.Text(volume, "name") == kube.Text(mount, "name") {
				return volume, key
			}
		}
	}
	return nil, ""
}

func sortedKeys(o map[string]any) []string { return slices.Sorted(maps.Keys(o)) }
