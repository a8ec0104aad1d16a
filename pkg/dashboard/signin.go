package dashboard

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// The workloads that sign users in, where the releases have them: oauth2-proxy from 1.9 on, authservice before.
var (
	ProxyRef       = cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "oauth2-proxy", Name: "oauth2-proxy"}
	AuthserviceRef = cluster.Ref{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: KubeflowNamespace, Name: "authservice"}
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
