package verify

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Session is what the tests of one run share: the cluster, the namespace, and the user's session at the gateway.
type Session struct {
	Client    *cluster.Client
	View      cluster.View // for what does not change during a run
	Namespace string

	options Options
	id      string
	owner   string // of the namespace
	front   dashboard.Gateway
	frontOf error // why there is no gateway
	auth    dashboard.Authentication
	browser *browser // nil: nobody is signed in
	signin  error    // why

	forwards forwards
	watches  *watches
	mu       sync.Mutex
	created  []*unstructured.Unstructured
	cleaners []func(context.Context) error // for what is no object of the cluster
	denied   []Permission                  // what the user may not do
}

var profileKind = schema.GroupVersionKind{Group: "kubeflow.org", Version: "v1", Kind: "Profile"}

// anonymous is the user of Kubeflow 1.2 without authentication.
const anonymous = "anonymous@kubeflow.org"

func newSession(client *cluster.Client, o Options) *Session {
	return &Session{Client: client, View: client.View(), options: o, id: strings.ToLower(rand.Text()[:5]), Namespace: o.Namespace, watches: newWatches()}
}

// prepare signs in and creates the namespace.
func (s *Session) prepare(ctx context.Context) error {
	if _, err := s.View.Version(ctx); err != nil {
		return err
	}
	s.options.Observe(Event{Step: "signing in"})
	if s.front, s.frontOf = dashboard.FindGateway(ctx, s.View); s.frontOf == nil {
		s.auth = s.front.Authenticate(ctx, s.View)
		s.browser, s.signin = s.signIn(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s.options.Namespace != "" {
		return s.useNamespace(ctx)
	}
	s.owner = "kubeflow-verify@example.com"
	switch {
	case s.browser != nil && s.browser.user != "":
		s.owner = s.browser.user
	case s.frontOf == nil && s.open():
		s.owner = anonymous
	}
	return s.createProfile(ctx)
}

// useNamespace reads the owner of the namespace that the user named.
func (s *Session) useNamespace(ctx context.Context) error {
	ns, err := s.View.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: s.options.Namespace})
	switch {
	case apierrors.IsNotFound(err):
		return &problem.Error{What: "there is no namespace " + s.options.Namespace, Next: "List the Profiles with: kubectl get profiles", Err: err}
	case apierrors.IsForbidden(err): // a tenant may not read it; the owner is only for headers
	case err != nil:
		return err
	default:
		s.owner = ns.GetAnnotations()["owner"]
	}
	return nil
}

func (s *Session) createProfile(ctx context.Context) error {
	served, err := s.View.Serves(ctx, profileKind)
	if err != nil {
		return err
	}
	if !served {
		return &problem.Error{What: "this cluster has no Profiles, which give a test its namespace", Next: "Test in a namespace that exists: kubectl kubeflow verify -n NAMESPACE"}
	}
	name := namePrefix + s.id
	s.options.Observe(Event{Step: "creating Profile " + name})
	o := object("kubeflow.org/v1", "Profile", name, map[string]any{"owner": map[string]any{"kind": "User", "name": s.owner}})
	label(o, s.id, "profile")
	s.Namespace = name
	if _, err := s.create(ctx, o); err != nil {
		if apierrors.IsForbidden(err) {
			s.missing(ctx, err)
			return &problem.Error{What: "you may not create a Profile, in which the tests run (create profiles.kubeflow.org)",
				Next: "Test in a namespace of yours: kubectl kubeflow verify -n NAMESPACE. All tests are allowed by ClusterRole " + Role + " (docs/rbac-verify.yaml)", Err: err}
		}
		return err
	}
	return s.awaitProfile(ctx, name)
}

// awaitProfile waits for what the profile controller creates last.
func (s *Session) awaitProfile(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	last := "namespace " + name + " was not created"
	for {
		made, err := s.Latest(ctx, cluster.Ref{APIVersion: "v1", Kind: "ServiceAccount", Namespace: name, Name: "default-editor"})
		if made != nil {
			made, err = s.Latest(ctx, cluster.Ref{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "RoleBinding", Namespace: name, Name: "namespaceAdmin"})
			last = "RoleBinding namespaceAdmin was not created"
		}
		if made != nil {
			return nil
		}
		if apierrors.IsForbidden(err) {
			return err
		}
		if profile, _ := s.Latest(ctx, cluster.Ref{APIVersion: "kubeflow.org/v1", Kind: "Profile", Name: name}); profile != nil {
			for _, c := range kube.Items(profile.Object, "status", "conditions") {
				if kube.Text(c, "type") == "Failed" {
					return &problem.Error{What: "the profile controller refused Profile " + name + ": " + kube.Text(c, "message"), Next: "Read its log with: kubectl logs -n kubeflow deployment/profiles-deployment -c manager"}
				}
			}
		}
		if kube.Sleep(ctx, pollInterval) != nil {
			return &problem.Error{What: "the profile controller does not complete Profile " + name + ": " + last,
				Next: "Find the cause with: kubectl kubeflow doctor tenancy pods", Err: context.DeadlineExceeded}
		}
	}
}

func (s *Session) create(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	s.mu.Lock()
	s.created = append(s.created, o) // before the request, whose answer may be lost
	s.mu.Unlock()
	made, err := s.Client.Do(ctx, cluster.Change{Verb: cluster.Create, After: o}, cluster.Options{Manager: Manager})
	if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) { // then there is nothing to remove
		s.mu.Lock()
		defer s.mu.Unlock()
		s.created = slices.DeleteFunc(s.created, func(c *unstructured.Unstructured) bool { return c == o })
	}
	return made, err
}

// open reports whether nothing authenticates users, which only those know who may read what would.
func (s *Session) open() bool { return s.auth.By == dashboard.NoAuthentication && s.auth.Unread == nil }

// onCleanUp has something removed at the end that is no object of the cluster.
func (s *Session) onCleanUp(remove func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleaners = append(s.cleaners, remove)
}

func (s *Session) close() {
	s.forwards.close()
	s.watches.close()
}
