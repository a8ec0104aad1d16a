package dashboard

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A SignIn is what users sign in with: an authenticator that the gateway asks, and what it is configured with.
type SignIn struct {
	Product   string                     // "oauth2-proxy" or "authservice"
	Asked     *unstructured.Unstructured // what makes the gateway ask it: an AuthorizationPolicy or an EnvoyFilter; nil if nothing does
	Workload  *unstructured.Unstructured // its Deployment or StatefulSet
	container map[string]any
	settings  map[string]Setting
	Hidden    string // why some of its settings are not known; "" when all are
	Refused   error  // what may not be read of them
}

// A Setting is a setting of a program, with the object that it is written in.
type Setting struct {
	Value  string
	Set    bool // it is given, although its value may be unreadable
	Known  bool // Value is what the program gets
	Object *unstructured.Unstructured
	Field  string // of the object: "data.redirect_url"
	Key    string // of the Secret's or ConfigMap's data
}

// Setting returns a setting by its name: redirect_url, OIDC_PROVIDER. One that is not given is known to be empty.
func (s SignIn) Setting(name string) Setting {
	if found, given := s.settings[name]; given {
		return found
	}
	return Setting{Known: s.Hidden == "", Object: s.Workload, Field: "spec.template.spec.containers"}
}

// ReadSignIns reads the authenticators that a gateway with pods of these labels asks, and the RequestAuthentications there. Where nothing
// asks one, they are Kubeflow's own.
func ReadSignIns(ctx context.Context, view cluster.View, namespace string, pods labels.Set) (all []SignIn, rules []*unstructured.Unstructured, err error) {
	m, err := readMesh(ctx, view, namespace)
	if err != nil {
		return nil, nil, err
	}
	rules, err = listIn(ctx, view, RequestAuthenticationKind, namespace, m.root)
	if err != nil {
		return nil, nil, err
	}
	asked, err := m.asked(ctx, view, namespace, pods)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range asked {
		s, err := a.read(ctx, view)
		if err != nil {
			return nil, nil, err
		}
		if s.Product != "" && s.Workload != nil && !slices.ContainsFunc(all, func(o SignIn) bool { return cluster.RefOf(o.Workload) == cluster.RefOf(s.Workload) }) {
			all = append(all, s)
		}
	}
	return all, whether(rules, pods, maybe), nil
}

// An askedService is a Service that the gateway asks about requests.
type askedService struct {
	authenticator
	by *unstructured.Unstructured
}

// kubeflowAuthenticators are those of the releases: from 1.9 on, and up to 1.8.
var kubeflowAuthenticators = []authenticator{
	{name: "oauth2-proxy", namespace: "oauth2-proxy", service: "oauth2-proxy"},
	{name: "authservice", namespace: KubeflowNamespace, service: "authservice"},
}

// asked returns the Services that the gateway asks about requests.
func (m mesh) asked(ctx context.Context, view cluster.View, namespace string, pods labels.Set) ([]askedService, error) {
	var all []askedService
	filters, err := listIn(ctx, view, EnvoyFilterKind, namespace, m.root)
	if err != nil {
		return nil, err
	}
	for _, filter := range whether(filters, pods, maybe) {
		if v := judgeFilter(filter); v.checks != "" {
			if a, ok := inCluster(v.checks, filters); ok {
				all = append(all, askedService{a, filter})
			}
		}
	}
	policies, err := listIn(ctx, view, AuthorizationPolicyKind, namespace, m.root)
	if err != nil {
		return nil, err
	}
	for _, policy := range withAction(whether(policies, pods, maybe), custom) {
		name := kube.Text(policy.Object, "spec", "provider", "name")
		for _, definition := range m.named(name) {
			settings := cmp.Or(firstMap(definition, "envoyExtAuthzHttp"), firstMap(definition, "envoyExtAuthzGrpc"))
			if settings == nil {
				continue
			}
			host := kube.Text(*settings, "service")
			a := authenticator{name: name}
			if a.at(host[strings.Index(host, "/")+1:]) {
				all = append(all, askedService{a, policy})
			}
		}
	}
	if len(all) == 0 {
		for _, a := range kubeflowAuthenticators {
			all = append(all, askedService{authenticator: a})
		}
	}
	return all, nil
}

func firstMap(o map[string]any, key string) *map[string]any {
	if m := kube.Map(o, key); m != nil {
		return &m
	}
	return nil
}

// read reads what an authenticator is configured with. Without a workload that is known, its settings are not.
func (a askedService) read(ctx context.Context, view cluster.View) (SignIn, error) {
	s := SignIn{Asked: a.by}
	workload, err := a.workload(ctx, view)
	if err != nil {
		return s, err
	}
	if workload == nil { // its Service may be missing
		if workload, err = namedWorkload(ctx, view, a.namespace, a.name, a.service, "oidc-"+a.service); err != nil {
			return s, err
		}
	}
	if workload == nil {
		return s, nil
	}
	if s.container, s.Product = productOf(a.authenticator, workload); s.container == nil {
		return SignIn{}, nil
	}
	s.Workload = workload
	r := &settingsReader{ctx: ctx, view: view}
	s.settings, s.Hidden, err = r.program(workload, s.container, s.Product)
	s.Refused = r.refused
	return s, err
}

// namedWorkload returns the first Deployment or StatefulSet of a namespace with one of these names.
func namedWorkload(ctx context.Context, view cluster.View, namespace string, names ...string) (*unstructured.Unstructured, error) {
	for _, kind := range workloadKinds {
		for _, name := range names {
			o, err := cluster.IgnoreNotFound(view.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: kind.Kind, Namespace: namespace, Name: name}))
			if o != nil || err != nil {
				return o, err
			}
		}
	}
	return nil, nil
}

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
			if kube.Text(volume, "name") != kube.Text(mount, "name") {
				continue
			}
			source, kind, name := kube.Map(volume, "configMap"), "ConfigMap", kube.Text(volume, "configMap", "name")
			if source == nil {
				source, kind, name = kube.Map(volume, "secret"), "Secret", kube.Text(volume, "secret", "secretName")
			}
			for _, item := range kube.Items(source, "items") {
				if kube.Text(item, "path") == key {
					key = kube.Text(item, "key")
				}
			}
			o, err := r.data(kind, workload.GetNamespace(), name)
			if err != nil || o == nil {
				return Setting{}, err
			}
			s := dataSetting(o, key)
			s.Known = s.Known && s.Set
			return s, nil
		}
	}
	return r.shipped(workload, path.Base(file))
}

// shipped returns a file that no volume of the container holds as the releases have it: in the ConfigMap of the workload's name.
func (r *settingsReader) shipped(workload *unstructured.Unstructured, key string) (Setting, error) {
	o, err := r.data("ConfigMap", workload.GetNamespace(), workload.GetName())
	if err != nil || o == nil {
		return Setting{}, err
	}
	s := dataSetting(o, key)
	s.Known = s.Known && s.Set
	return s, nil
}
