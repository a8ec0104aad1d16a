package cabundle

import (
	"context"
	"fmt"
	"strings"
	"time"

	discovery "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
)

type filler struct {
	client dynamic.Interface
	bundle []byte
	stores map[string]cache.Store
	slices discoverylisters.EndpointSliceLister
}

// Loop creates the loop that sets caBundles.
func Loop(client dynamic.Interface, untyped dynamicinformer.DynamicSharedInformerFactory, factory informers.SharedInformerFactory, bundle []byte) (*control.Loop, error) {
	slices := factory.Discovery().V1().EndpointSlices()
	f := &filler{client: client, bundle: bundle, stores: map[string]cache.Store{}, slices: slices.Lister()}
	loop := control.New("ca injector", 1, f.reconcile)
	for kind, resource := range kinds {
		informer := untyped.ForResource(resource).Informer()
		f.stores[kind] = informer.GetStore()
		keys := func(object any) []string { return []string{kind + "/" + control.Key(object)[0]} }
		if err := loop.On(informer, keys); err != nil {
			return nil, err
		}
	}
	return loop, loop.On(slices.Informer(), f.behind)
}

func (f *filler) reconcile(ctx context.Context, key string) (time.Duration, error) {
	kind, name, _ := strings.Cut(key, "/")
	stored, exists, err := f.stores[kind].GetByKey(name)
	if err != nil || !exists {
		return 0, err
	}
	object := stored.(*unstructured.Unstructured).DeepCopy()
	if fill(clients(kind, object.Object), f.bundle, f.ready) == 0 {
		return 0, nil
	}
	_, err = f.client.Resource(kinds[kind]).Update(ctx, object, metav1.UpdateOptions{FieldManager: "cainjector"})
	if err != nil && !apierrors.IsNotFound(err) {
		return 0, fmt.Errorf("filling the caBundle: %w", err)
	}
	return 0, nil
}

// ready reports whether a Service has a ready endpoint.
func (f *filler) ready(service types.NamespacedName) bool {
	all, err := f.slices.EndpointSlices(service.Namespace).List(labels.SelectorFromSet(labels.Set{discovery.LabelServiceName: service.Name}))
	if err != nil {
		return false
	}
	for _, slice := range all {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				return true
			}
		}
	}
	return false
}

// behind returns the objects that refer to the Service of an EndpointSlice.
func (f *filler) behind(object any) []string {
	slice, ok := object.(*discovery.EndpointSlice)
	if !ok {
		return nil
	}
	service := types.NamespacedName{Namespace: slice.Namespace, Name: slice.Labels[discovery.LabelServiceName]}
	var keys []string
	for kind, store := range f.stores {
		for _, item := range store.List() {
			object := item.(*unstructured.Unstructured)
			for _, c := range clients(kind, object.Object) {
				if got, ok := c.service(); ok && got == service {
					keys = append(keys, kind+"/"+object.GetName())
					break
				}
			}
		}
	}
	return keys
}
