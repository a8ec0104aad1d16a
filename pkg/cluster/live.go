package cluster

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
)

// View returns a new look at the live cluster.
func (c *Client) View() View {
	return &liveView{client: c, answers: map[any]*answer{}, whole: map[listKey][]*unstructured.Unstructured{}}
}

// A liveView asks each question once.
type liveView struct {
	client  *Client
	mu      sync.Mutex
	answers map[any]*answer
	whole   map[listKey][]*unstructured.Unstructured // lists of all objects of a kind, of a namespace or everywhere: they answer Get
}

type answer struct {
	once  sync.Once
	value any
	err   error
}

// once asks a question the first time and remembers what came back. A question cut off by its caller is not remembered.
func once[T any](v *liveView, key any, ask func() (T, error)) (T, error) {
	v.mu.Lock()
	a, ok := v.answers[key]
	if !ok {
		a = &answer{}
		v.answers[key] = a
	}
	v.mu.Unlock()
	a.once.Do(func() { a.value, a.err = ask() })
	if errors.Is(a.err, context.Canceled) || errors.Is(a.err, context.DeadlineExceeded) {
		v.mu.Lock()
		delete(v.answers, key)
		v.mu.Unlock()
	}
	value, _ := a.value.(T)
	return value, a.err
}

type listKey struct {
	kind schema.GroupKind
	in   Scope
}

type canKey struct {
	verb string
	listKey
}

func (v *liveView) Get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	return once(v, ref.Identity(), func() (*unstructured.Unstructured, error) {
		if o, listed := v.listed(ref); listed && o == nil {
			return nil, apierrors.NewNotFound(schema.GroupResource{Group: ref.GroupKind().Group, Resource: ref.Kind}, ref.Name)
		} else if o != nil && o.GetAPIVersion() == ref.APIVersion {
			return o, nil
		}
		in, err := asked(ctx, v.client, func() (dynamic.ResourceInterface, error) { return v.client.resource(ref) })
		if err != nil {
			return nil, err
		}
		return asked(ctx, v.client, func() (*unstructured.Unstructured, error) { return in.Get(ctx, ref.Name, metav1.GetOptions{}) })
	})
}

func (v *liveView) List(ctx context.Context, kind schema.GroupKind, in Scope) ([]*unstructured.Unstructured, error) {
	return once(v, listKey{kind, in}, func() ([]*unstructured.Unstructured, error) {
		mapping, err := asked(ctx, v.client, func() (*meta.RESTMapping, error) { return v.client.Mapping(kind.WithVersion("")) })
		if err != nil {
			return nil, err
		}
		objects, err := v.client.list(ctx, mapping, in)
		if apierrors.IsNotFound(err) { // discovery was remembered from before the kind went away
			return nil, &meta.NoKindMatchError{GroupKind: kind}
		}
		slices.SortFunc(objects, byName)
		if err == nil && in == (Scope{Namespace: in.Namespace}) {
			v.mu.Lock()
			v.whole[listKey{kind, in}] = objects
			v.mu.Unlock()
		}
		return objects, err
	})
}

// listed looks for an object in the lists that were read. It is nil where there is none, and listed is false where no list tells.
func (v *liveView) listed(ref Ref) (o *unstructured.Unstructured, listed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, in := range []Scope{{}, {Namespace: ref.Namespace}} {
		list, read := v.whole[listKey{ref.GroupKind(), in}]
		if !read {
			continue
		}
		i, found := slices.BinarySearchFunc(list, ref.Namespace+"/"+ref.Name, func(o *unstructured.Unstructured, name string) int {
			return strings.Compare(o.GetNamespace()+"/"+o.GetName(), name)
		})
		if found {
			return list[i], true
		}
		return nil, true
	}
	return nil, false
}

func byName(a, b *unstructured.Unstructured) int {
	return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
}

func (v *liveView) Can(ctx context.Context, verb string, kind schema.GroupKind, in Scope) (bool, error) {
	return once(v, canKey{verb, listKey{kind, in}}, func() (bool, error) {
		mapping, err := asked(ctx, v.client, func() (*meta.RESTMapping, error) { return v.client.Mapping(kind.WithVersion("")) })
		if err != nil {
			return false, err
		}
		return v.client.Can(ctx, verb, mapping.Resource.GroupResource(), "", in.Namespace)
	})
}

// Can reports whether the user may do verb on a kind of objects, or on a subresource of theirs, in a namespace.
func (c *Client) Can(ctx context.Context, verb string, kind schema.GroupResource, subresource, namespace string) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Group: kind.Group, Resource: kind.Resource, Subresource: subresource},
	}}
	review, err := c.Kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}

// CanEverything reports whether the user may do anything to everything: one question that saves a cluster's owner many.
func (c *Client) CanEverything(ctx context.Context) (bool, error) {
	return c.Can(ctx, "*", schema.GroupResource{Group: "*", Resource: "*"}, "", "")
}

func (v *liveView) Serves(ctx context.Context, kind schema.GroupVersionKind) (bool, error) {
	return once(v, kind, func() (bool, error) {
		list, err := asked(ctx, v.client, func() (*metav1.APIResourceList, error) {
			return v.client.discovery.ServerResourcesForGroupVersion(kind.GroupVersion().String())
		})
		if apierrors.IsNotFound(err) || errors.Is(err, memory.ErrCacheNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Kind == kind.Kind }), nil
	})
}

func (v *liveView) Version(ctx context.Context) (*version.Info, error) {
	return once(v, "version", func() (*version.Info, error) {
		return asked(ctx, v.client, func() (*version.Info, error) { return v.client.Kube.Discovery().ServerVersion() })
	})
}

// Now asks nothing of its own but a first question: every answer carries the server's time.
func (v *liveView) Now(ctx context.Context) (time.Time, error) {
	if _, err := v.Version(ctx); err != nil {
		return time.Time{}, err
	}
	return time.Now().Add(time.Duration(v.client.clock.Load())), nil
}

// mostLog is how many bytes of one log are read.
const mostLog = 64 << 10

type logKey struct {
	pod Ref
	of  LogScope
}

func (v *liveView) Logs(ctx context.Context, pod Ref, of LogScope) (string, error) {
	return once(v, logKey{pod.Identity(), of}, func() (string, error) {
		most := int64(mostLog)
		options := &corev1.PodLogOptions{Container: of.Container, Previous: of.Previous, TailLines: &of.Lines, LimitBytes: &most}
		stream, err := v.client.Kube.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, options).Stream(ctx)
		if err != nil {
			return "", err
		}
		defer func() { _ = stream.Close() }()
		answer, err := bounded.Start(stream, mostLog) // whatever the server makes of the limit
		return string(answer), err
	})
}

type rawKey struct{ path string }

func (v *liveView) Raw(ctx context.Context, path string) ([]byte, error) {
	return once(v, rawKey{path}, func() ([]byte, error) {
		return asked(ctx, v.client, func() ([]byte, error) { return v.client.Kube.CoreV1().RESTClient().Get().AbsPath(path).DoRaw(ctx) })
	})
}

// Token issues a token of a ServiceAccount for an audience, which is good for ten minutes.
func (c *Client) Token(ctx context.Context, namespace, account, audience string) (string, error) {
	seconds := int64(600)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: []string{audience}, ExpirationSeconds: &seconds}}
	issued, err := c.Kube.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account, request, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return issued.Status.Token, nil
}

// May reports whether somebody else may do verb on a kind of objects in a namespace.
func (c *Client) May(ctx context.Context, user, verb string, kind schema.GroupResource, namespace string) (bool, error) {
	review, err := c.Kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{User: user, Groups: []string{"system:authenticated"}, ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: verb, Group: kind.Group, Resource: kind.Resource,
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}
