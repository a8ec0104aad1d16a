package cluster

import (
	"context"
	"fmt"
	"path"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// page is how many objects one list request asks for.
const page = 500

// identity are the fields that every list keeps.
const identity = " metadata/name metadata/namespace metadata/uid metadata/resourceVersion"

// list returns all objects of a kind in a scope, page by page.
func (c *Client) list(ctx context.Context, mapping *meta.RESTMapping, in Scope) ([]*unstructured.Unstructured, error) {
	read := c.wholePage
	var shared kube.Shared
	switch {
	case in.Metadata:
		read = c.metadataPage
	case in.Keep != "" && scheme.Scheme.Recognizes(mapping.GroupVersionKind):
		read = c.typedPage
	}
	var objects []*unstructured.Unstructured
	options := metav1.ListOptions{Limit: page, LabelSelector: in.Labels, FieldSelector: in.Fields}
	for {
		list, next, err := read(ctx, mapping, in, options)
		if err != nil {
			return nil, err
		}
		if in.Keep != "" {
			for _, o := range list {
				o.Object = shared.Map(o.Object)
			}
		}
		objects = append(objects, list...)
		if next == "" {
			return objects, nil
		}
		options.Continue = next
	}
}

func (c *Client) wholePage(ctx context.Context, mapping *meta.RESTMapping, in Scope, options metav1.ListOptions) ([]*unstructured.Unstructured, string, error) {
	resource := c.Dynamic.Resource(mapping.Resource).Namespace(in.Namespace)
	list, err := asked(ctx, c, func() (*unstructured.UnstructuredList, error) { return resource.List(ctx, options) })
	if err != nil {
		return nil, "", err
	}
	objects := make([]*unstructured.Unstructured, len(list.Items))
	for i := range list.Items {
		objects[i] = in.trim(&list.Items[i])
	}
	return objects, list.GetContinue(), nil
}

func (c *Client) metadataPage(ctx context.Context, mapping *meta.RESTMapping, in Scope, options metav1.ListOptions) ([]*unstructured.Unstructured, string, error) {
	var resource metadata.ResourceInterface = c.metadata.Resource(mapping.Resource)
	if in.Namespace != "" {
		resource = c.metadata.Resource(mapping.Resource).Namespace(in.Namespace)
	}
	list, err := asked(ctx, c, func() (*metav1.PartialObjectMetadataList, error) { return resource.List(ctx, options) })
	if err != nil {
		return nil, "", err
	}
	objects := make([]*unstructured.Unstructured, len(list.Items))
	for i := range list.Items {
		content, err := in.content(&list.Items[i])
		if err != nil {
			return nil, "", err
		}
		objects[i] = &unstructured.Unstructured{Object: content}
		objects[i].SetGroupVersionKind(mapping.GroupVersionKind)
	}
	return objects, list.Continue, nil
}

// typedPage reads objects in Protobuf, which takes server and client a fraction of the time and memory that JSON takes. Only
// fields that this program names are taken from it, because Go's types lack what a newer server may have.
func (c *Client) typedPage(ctx context.Context, mapping *meta.RESTMapping, in Scope, options metav1.ListOptions) ([]*unstructured.Unstructured, string, error) {
	list, err := asked(ctx, c, func() (runtime.Object, error) {
		return c.typed.Get().AbsPath(collection(mapping, in.Namespace)).SpecificallyVersionedParams(&options, scheme.ParameterCodec, schema.GroupVersion{Version: "v1"}).Do(ctx).Get()
	})
	if err != nil {
		return nil, "", err
	}
	about, err := meta.ListAccessor(list)
	if err != nil {
		return nil, "", err
	}
	var objects []*unstructured.Unstructured
	err = meta.EachListItem(list, func(item runtime.Object) error {
		if item == nil { // a list of objects of any kind
			return fmt.Errorf("the server does not answer with a list of %s", mapping.GroupVersionKind.Kind)
		}
		content, err := in.content(item)
		if err != nil {
			return fmt.Errorf("reading a %s: %w", mapping.GroupVersionKind.Kind, err)
		}
		o := &unstructured.Unstructured{Object: content}
		o.SetGroupVersionKind(mapping.GroupVersionKind)
		objects = append(objects, o)
		return nil
	})
	return objects, about.GetContinue(), err
}

// collection returns the path of all objects of a resource, in one namespace or everywhere.
func collection(mapping *meta.RESTMapping, namespace string) string {
	group := "/api"
	if mapping.Resource.Group != "" {
		group = "/apis/" + mapping.Resource.Group
	}
	if namespace != "" {
		return path.Join(group, mapping.Resource.Version, "namespaces", namespace, mapping.Resource.Resource)
	}
	return path.Join(group, mapping.Resource.Version, mapping.Resource.Resource)
}

// content returns the fields of an object that a scope keeps.
func (in Scope) content(o runtime.Object) (map[string]any, error) {
	if in.Keep == "" {
		return runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	}
	return kube.KeepOf(in.Keep + identity).Struct(o)
}

// trim drops what a scope does not keep.
func (in Scope) trim(o *unstructured.Unstructured) *unstructured.Unstructured {
	if in.Keep == "" {
		return o
	}
	return &unstructured.Unstructured{Object: kube.KeepOf(in.Keep + identity + " apiVersion kind").Object(o.Object)}
}

// typedClient returns a client that reads Kubernetes' own kinds in Protobuf.
func typedClient(config *rest.Config) (rest.Interface, error) {
	config = rest.CopyConfig(config)
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	return rest.UnversionedRESTClientFor(config)
}
