package storage

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// The drivers that AKS installs.
const (
	diskDriver = "disk.csi.azure.com"
	fileDriver = "file.csi.azure.com"
)

// Create creates AKS's StorageClasses. It does not change existing ones.
func Create(ctx context.Context, client kubernetes.Interface) error {
	for _, class := range classes() {
		_, err := client.StorageV1().StorageClasses().Create(ctx, class, metav1.CreateOptions{FieldManager: "addon-manager"})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("creating StorageClass %s: %w", class.Name, err)
		}
	}
	return nil
}

func classes() []*storagev1.StorageClass {
	first := class("default", diskDriver, storagev1.VolumeBindingWaitForFirstConsumer, "StandardSSD_LRS")
	first.Annotations = map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}
	return []*storagev1.StorageClass{
		first,
		class("managed-csi", diskDriver, storagev1.VolumeBindingWaitForFirstConsumer, "StandardSSD_LRS"),
		class("managed-csi-premium", diskDriver, storagev1.VolumeBindingWaitForFirstConsumer, "Premium_LRS"),
		class("azurefile-csi", fileDriver, storagev1.VolumeBindingImmediate, "Standard_LRS"),
	}
}

func class(name, driver string, mode storagev1.VolumeBindingMode, sku string) *storagev1.StorageClass {
	expand, reclaim := true, corev1.PersistentVolumeReclaimDelete
	return &storagev1.StorageClass{
		ObjectMeta:           metav1.ObjectMeta{Name: name, Labels: map[string]string{"addonmanager.kubernetes.io/mode": "EnsureExists", "kubernetes.io/cluster-service": "true"}},
		Provisioner:          driver,
		Parameters:           map[string]string{"skuname": sku},
		ReclaimPolicy:        &reclaim,
		AllowVolumeExpansion: &expand,
		VolumeBindingMode:    &mode,
	}
}
