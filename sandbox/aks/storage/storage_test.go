package storage

import (
	"io"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"
)

func claim(class string, annotations map[string]string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kubeflow", Name: "minio-pvc", UID: "42", Annotations: annotations},
		Spec:       corev1.PersistentVolumeClaimSpec{StorageClassName: &class},
	}
}

func TestAVolumeIsMadeOnceItsFirstConsumerIsPlaced(t *testing.T) {
	all := classes()
	disk, files := all[0], all[3]
	placed := map[string]string{selectedNode: "n"}
	bound := claim("default", placed)
	bound.Status.Phase = corev1.ClaimBound
	foreign := disk.DeepCopy()
	foreign.Provisioner = "example.com/nfs"
	for name, got := range map[string][2]bool{
		"a disk before its consumer is placed": {due(claim("default", nil), disk), false},
		"a disk after it":                      {due(claim("default", placed), disk), true},
		"a file share at once":                 {due(claim("azurefile-csi", nil), files), true},
		"a claim that is bound":                {due(bound, disk), false},
		"a class of someone else's":            {due(claim("x", placed), foreign), false},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: due %v", name, got[0])
		}
	}
}

func TestTheDefaultClassIsAKSs(t *testing.T) {
	defaults := 0
	for _, class := range classes() {
		if class.Annotations["storageclass.kubernetes.io/is-default-class"] == "true" {
			defaults++
			if class.Name != "default" || class.Provisioner != "disk.csi.azure.com" {
				t.Errorf("%s by %s", class.Name, class.Provisioner)
			}
		}
	}
	if defaults != 1 {
		t.Errorf("%d default classes", defaults)
	}
}

func TestVolumesComeWithTheClaimAndGoWithIt(t *testing.T) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", Labels: map[string]string{zoneLabel: "westeurope-2"}}}
	client := fake.NewClientset(node, claim("default", map[string]string{selectedNode: "n"}))
	if err := Create(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	loop, err := Loop(client, factory, record.NewFakeRecorder(10))
	if err != nil {
		t.Fatal(err)
	}
	factory.Start(t.Context().Done())
	factory.WaitForCacheSync(t.Context().Done())
	go loop.Run(t.Context(), io.Discard)
	volumes := client.CoreV1().PersistentVolumes()
	var pv *corev1.PersistentVolume
	await(t, func() bool {
		pv, err = volumes.Get(t.Context(), "pvc-42", metav1.GetOptions{})
		return err == nil
	})
	if pv.Spec.ClaimRef.UID != "42" || pv.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0].Values[0] != "westeurope-2" {
		t.Errorf("%+v", pv.Spec)
	}
	pv.Status.Phase = corev1.VolumeReleased
	if _, err := volumes.UpdateStatus(t.Context(), pv, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		_, err := volumes.Get(t.Context(), "pvc-42", metav1.GetOptions{})
		return err != nil
	})
}

func await(t *testing.T, met func() bool) {
	t.Helper()
	for range 2000 {
		if met() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("did not happen")
}
