package kubeflow

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

func one(t *testing.T, manifest string) *unstructured.Unstructured {
	return kubetest.Objects(t, []byte(manifest))[0]
}

const bound = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: mysql-pv-claim, namespace: kubeflow, uid: "1", resourceVersion: "7"}
spec: {storageClassName: default, volumeName: pvc-1, volumeMode: Filesystem, accessModes: [ReadWriteOnce], resources: {requests: {storage: 40Gi}}}
`

func TestVolumesDoNotShrink(t *testing.T) {
	for name, c := range map[string]struct{ manifest, want string }{
		"the same": {`{accessModes: [ReadWriteOnce], resources: {requests: {storage: 40Gi}}}`, ""},
		"larger":   {`{accessModes: [ReadWriteOnce], resources: {requests: {storage: 80Gi}}}`, ""},
		"smaller": {`{accessModes: [ReadWriteOnce], resources: {requests: {storage: 20Gi}}}`,
			`{accessModes: [ReadWriteOnce], resources: {requests: {storage: 40Gi}}}`},
		"another class": {`{storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 40Gi}}}`, ""},
	} {
		live, wanted := one(t, bound), one(t, "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: mysql-pv-claim, namespace: kubeflow}\nspec: "+c.manifest)
		kept := keepVolume(wanted, live)
		if (kept != nil) != (c.want != "") {
			t.Errorf("%s: %v", name, kept)
			continue
		}
		if kept != nil {
			want := one(t, "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: mysql-pv-claim, namespace: kubeflow}\nspec: "+c.want)
			if !equality.Semantic.DeepEqual(want, kept) {
				t.Errorf("%s: %v, want %v", name, kept.Object, want.Object)
			}
		}
	}
}

func TestAdaptationsAreForVolumesThatAreCreated(t *testing.T) {
	rendered := func(name string) *unstructured.Unstructured {
		return one(t, "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {namespace: kubeflow, name: "+name+"}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 40Gi}}}")
	}
	withClass := func(o *unstructured.Unstructured) *unstructured.Unstructured {
		o = o.DeepCopy()
		_ = unstructured.SetNestedField(o.Object, "managed-csi", "spec", "storageClassName")
		return o
	}
	mysql, minio := rendered("mysql-pv-claim"), rendered("minio-pvc")
	components := []release.RenderedComponent{{Name: "pipelines", Objects: []*unstructured.Unstructured{withClass(mysql), withClass(minio)}}}
	adapted := []doctor.Adaptation{{Check: "storage/default-class", Changes: []cluster.Change{
		{Verb: cluster.Patch, Before: mysql, After: withClass(mysql)}, {Verb: cluster.Patch, Before: minio, After: withClass(minio)},
	}}}
	k, err := keep(t.Context(), cluster.Objects("a cluster", nil, one(t, bound)), components, adapted)
	if err != nil {
		t.Fatal(err)
	}
	if want := []*unstructured.Unstructured{mysql, withClass(minio)}; !equality.Semantic.DeepEqual(k.components[0].Objects, want) {
		t.Errorf("got %v, want %v", k.components[0].Objects, want)
	}
	if len(k.made) != 1 || len(k.made[0].Changes) != 1 || k.made[0].Changes[0].Ref().Name != "minio-pvc" {
		t.Errorf("the adaptations that are left: %+v", k.made)
	}
}
