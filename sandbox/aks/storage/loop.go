package storage

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
)

type provisioner struct {
	client  kubernetes.Interface
	events  record.EventRecorder
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	nodes   corelisters.NodeLister
	classes storagelisters.StorageClassLister
}

// Loop creates the loop that provisions volumes and deletes released ones.
func Loop(client kubernetes.Interface, factory informers.SharedInformerFactory, events record.EventRecorder) (*control.Loop, error) {
	core, classes := factory.Core().V1(), factory.Storage().V1().StorageClasses()
	p := &provisioner{
		client: client, events: events, claims: core.PersistentVolumeClaims().Lister(),
		volumes: core.PersistentVolumes().Lister(), nodes: core.Nodes().Lister(), classes: classes.Lister(),
	}
	classes.Informer()
	loop := control.New("provisioner", 2, p.reconcile)
	if err := loop.On(core.PersistentVolumeClaims().Informer(), control.Key); err != nil {
		return nil, err
	}
	return loop, loop.On(core.PersistentVolumes().Informer(), control.Key)
}

// reconcile tells a PVC from a PV by its namespace.
func (p *provisioner) reconcile(ctx context.Context, key string) (time.Duration, error) {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return 0, fmt.Errorf("reading key: %w", err)
	}
	if namespace == "" {
		return 0, p.reclaim(ctx, name)
	}
	return 0, p.provision(ctx, namespace, name)
}

func (p *provisioner) provision(ctx context.Context, namespace, name string) error {
	claim, err := p.claims.PersistentVolumeClaims(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("getting claim: %w", err)
	}
	if claim.Spec.StorageClassName == nil {
		return nil
	}
	class, err := p.classes.Get(*claim.Spec.StorageClassName)
	if apierrors.IsNotFound(err) {
		return nil // kube-controller-manager reports it, and the PVC stays Pending
	}
	if err != nil {
		return fmt.Errorf("getting class: %w", err)
	}
	if !due(claim, class) {
		return nil
	}
	zone := ""
	if node, err := p.nodes.Get(claim.Annotations[selectedNode]); err == nil {
		zone = node.Labels[zoneLabel]
	}
	made := volume(claim, class, zone)
	_, err = p.client.CoreV1().PersistentVolumes().Create(ctx, made, metav1.CreateOptions{FieldManager: "csi-provisioner"})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("creating volume: %w", err)
	}
	p.events.Eventf(claim, corev1.EventTypeNormal, "ProvisioningSucceeded", "Successfully provisioned volume %s", made.Name)
	return nil
}

// reclaim deletes a PV whose PVC was deleted.
func (p *provisioner) reclaim(ctx context.Context, name string) error {
	pv, err := p.volumes.Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("getting volume: %w", err)
	}
	driver := pv.Annotations["pv.kubernetes.io/provisioned-by"]
	ours := driver == diskDriver || driver == fileDriver
	if !ours || pv.Status.Phase != corev1.VolumeReleased || pv.DeletionTimestamp != nil || pv.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		return nil
	}
	if err := p.client.CoreV1().PersistentVolumes().Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting volume: %w", err)
	}
	return nil
}
