package network

import (
	"context"
	"errors"
	"fmt"
	"net"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// A Directory maps addresses of the cluster network to objects of the API server.
type Directory struct {
	services, slices, pods, nodes cache.Indexer
}

const (
	byAddress = "address"
	byService = "service"
)

// NewDirectory watches the cluster until ctx ends, and returns once its caches
// are synced.
func NewDirectory(ctx context.Context, client kubernetes.Interface) (*Directory, error) {
	factory := informers.NewSharedInformerFactory(client, 0)
	d := &Directory{}
	for _, kind := range []struct {
		informer cache.SharedIndexInformer
		store    *cache.Indexer
		index    string
		keys     cache.IndexFunc
	}{
		{factory.Core().V1().Services().Informer(), &d.services, byAddress, serviceAddresses},
		{factory.Discovery().V1().EndpointSlices().Informer(), &d.slices, byService, sliceService},
		{factory.Core().V1().Pods().Informer(), &d.pods, byAddress, podAddresses},
		{factory.Core().V1().Nodes().Informer(), &d.nodes, byAddress, nodeAddresses},
	} {
		if err := kind.informer.AddIndexers(cache.Indexers{kind.index: kind.keys}); err != nil {
			return nil, err
		}
		*kind.store = kind.informer.GetIndexer()
	}
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return nil, fmt.Errorf("watching %s: %w", kind, errors.Join(context.Cause(ctx)))
		}
	}
	return d, nil
}

func serviceAddresses(object any) ([]string, error) {
	spec := object.(*corev1.Service).Spec
	if net.ParseIP(spec.ClusterIP) == nil { // None, or not assigned yet
		return nil, nil
	}
	return []string{spec.ClusterIP}, nil
}

func sliceService(object any) ([]string, error) {
	slice := object.(*discoveryv1.EndpointSlice)
	return []string{slice.Namespace + "/" + slice.Labels[discoveryv1.LabelServiceName]}, nil
}

func podAddresses(object any) ([]string, error) {
	pod := object.(*corev1.Pod)
	if pod.Status.PodIP == "" || pod.Status.Phase != corev1.PodRunning {
		return nil, nil
	}
	return []string{pod.Status.PodIP}, nil
}

func nodeAddresses(object any) ([]string, error) {
	var all []string
	for _, address := range object.(*corev1.Node).Status.Addresses {
		all = append(all, address.Address)
	}
	return all, nil
}

// at returns all objects of a kind under an index key.
func at[T any](store cache.Indexer, index, key string) []T {
	objects, _ := store.ByIndex(index, key) // fails only for an unknown index
	all := make([]T, 0, len(objects))
	for _, object := range objects {
		all = append(all, object.(T))
	}
	return all
}
