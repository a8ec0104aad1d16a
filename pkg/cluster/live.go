package cluster

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
)

// page is how many objects one list request asks for.
const page = 500

// View returns a new look at the live cluster.
func (c *Client) View() View {
	return &liveView{client: c, answers: map[any]*answer{}}
}

// A liveView asks each question once.
type liveView struct {
	client  *Client
	mu      sync.Mutex
	answers map[any]*answer
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
		objects, err := v.pages(ctx, mapping, in)
		if apierrors.IsNotFound(err) { // discovery was remembered from before the kind went away
			return nil, &meta.NoKindMatchError{GroupKind: kind}
		}
		slices.SortFunc(objects, byName)
		return objects, err
	})
}

func byName(a, b *unstructured.Unstructured) int {
	return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
}

func (v *liveView) pages(ctx context.Context, mapping *meta.RESTMapping, in Scope) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	options := metav1.ListOptions{Limit: page, LabelSelector: in.Labels, FieldSelector: in.Fields}
	for {
		list, next, err := v.page(ctx, mapping, in, options)
		if err != nil {
			return nil, err
		}
		objects = append(objects, list...)
		if next == "" {
			return objects, nil
		}
		options.Continue = next
	}
}

func (v *liveView) page(ctx context.Context, mapping *meta.RESTMapping, in Scope, options metav1.ListOptions) ([]*unstructured.Unstructured, string, error) {
	var objects []*unstructured.Unstructured
	if in.Metadata {
		var resource metadata.ResourceInterface = v.client.metadata.Resource(mapping.Resource)
		if in.Namespace != "" {
			resource = v.client.metadata.Resource(mapping.Resource).Namespace(in.Namespace)
		}
		list, err := asked(ctx, v.client, func() (*metav1.PartialObjectMetadataList, error) { return resource.List(ctx, options) })
		if err != nil {
			return nil, "", err
		}
		for i := range list.Items {
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&list.Items[i])
			if err != nil {
				return nil, "", err
			}
			o := &unstructured.Unstructured{Object: content}
			o.SetGroupVersionKind(mapping.GroupVersionKind)
			objects = append(objects, o)
		}
		return objects, list.Continue, nil
	}
	resource := v.client.Dynamic.Resource(mapping.Resource).Namespace(in.Namespace)
	list, err := asked(ctx, v.client, func() (*unstructured.UnstructuredList, error) { return resource.List(ctx, options) })
	if err != nil {
		return nil, "", err
	}
	for i := range list.Items {
		objects = append(objects, &list.Items[i])
	}
	return objects, list.GetContinue(), nil
}

func (v *liveView) Can(ctx context.Context, verb string, kind schema.GroupKind, in Scope) (bool, error) {
	return once(v, canKey{verb, listKey{kind, in}}, func() (bool, error) {
		mapping, err := asked(ctx, v.client, func() (*meta.RESTMapping, error) { return v.client.Mapping(kind.WithVersion("")) })
		if err != nil {
			return false, err
		}
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: in.Namespace, Verb: verb, Group: kind.Group, Resource: mapping.Resource.Resource,
			},
		}}
		review, err = v.client.Kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return false, err
		}
		return review.Status.Allowed, nil
	})
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
		answer, err := v.client.Kube.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, options).DoRaw(ctx)
		return string(answer), err
	})
}

type rawKey struct{ path string }

func (v *liveView) Raw(ctx context.Context, path string) ([]byte, error) {
	return once(v, rawKey{path}, func() ([]byte, error) {
		return asked(ctx, v.client, func() ([]byte, error) { return v.client.Kube.CoreV1().RESTClient().Get().AbsPath(path).DoRaw(ctx) })
	})
}
