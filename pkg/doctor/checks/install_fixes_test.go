package checks

import (
	"context"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
)

// fixable returns the titles of the fixes that one check offers.
func fixable(t *testing.T, ctx context.Context, client *cluster.Client, chosen []*doctor.Check) []string {
	t.Helper()
	r := doctor.Diagnose(ctx, client.View(), chosen, doctor.Options{})
	if r.Checks[0].Status == doctor.Unknown {
		t.Fatalf("%s could not run: %s", r.Checks[0].ID, r.Checks[0].Reason)
	}
	var titles []string
	for _, f := range r.Checks[0].Findings {
		if f.Fix != nil {
			titles = append(titles, f.Fix.Title)
		}
	}
	return titles
}

func TestInstallPatchesAreFixedAndUndoneOnACluster(t *testing.T) {
	for id, there := range map[string]string{
		"pipelines/images": `
apiVersion: apps/v1
kind: Deployment
metadata: {name: old-database, namespace: kubeflow}
spec:
  selector: {matchLabels: {app: old-database}}
  template:
    metadata: {labels: {app: old-database}}
    spec: {containers: [{name: main, image: "gcr.io/ml-pipeline/mysql:5.6"}]}`,
		"mesh/google-services": `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: virtualservices.networking.istio.io}
spec:
  group: networking.istio.io
  scope: Namespaced
  names: {kind: VirtualService, plural: virtualservices, singular: virtualservice, listKind: VirtualServiceList}
  versions: [{name: v1alpha3, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata: {name: google-api-vs, namespace: kubeflow}
spec: {hosts: [www.googleapis.com], tls: [{match: [{port: 443, sni_hosts: [www.googleapis.com]}]}]}`,
		"notebooks/gpu-tolerations": `
apiVersion: v1
kind: Node
metadata: {name: aks-gpu-1, labels: {accelerator: nvidia, kubernetes.azure.com/cluster: MC_a}}
spec: {taints: [{key: sku, value: gpu, effect: NoSchedule}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: jupyter-web-app-config-1, namespace: kubeflow}
data: {spawner_ui_config.yaml: "spawnerFormDefaults:\n  tolerationGroup:\n    options: []\n"}`,
	} {
		t.Run(id, func(t *testing.T) {
			ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
			defer stop()
			client := connect(t, ctx)
			created := objects(t, there)
			applyAll(t, ctx, client, slices.Clone(created)) // applyAll empties its argument
			t.Cleanup(func() { deleteAll(t, client, created) })
			chosen, err := Find(id)
			if err != nil {
				t.Fatal(err)
			}
			before := fixable(t, ctx, client, chosen)
			if len(before) == 0 {
				t.Fatal("no fix is offered")
			}
			r, err := fixes.Apply(ctx, client, chosen, fixes.Options{Allow: []doctor.Impact{doctor.RestartsPods}, Wait: time.Minute, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			if n := outcomes(r); n[doctor.Fixed] == 0 && id != "pipelines/images" || n[doctor.Failed]+n[doctor.Worse] > 0 { // some images remain unavailable
				t.Errorf("the outcomes are %v", n)
			}
			if after := fixable(t, ctx, client, chosen); len(after) != 0 {
				t.Errorf("fixes still offered: %v", after)
			}
			if u := undoLast(t, ctx, client); !u.Whole() {
				t.Errorf("the undo is incomplete: %+v", u.Steps)
			}
			if again := fixable(t, ctx, client, chosen); len(again) != len(before) {
				t.Errorf("after undo the fixes are %v, before they were %v", again, before)
			}
		})
	}
}

// deleteAll deletes the objects that a test created.
func deleteAll(t *testing.T, client *cluster.Client, created []*unstructured.Unstructured) {
	t.Helper()
	for _, o := range created {
		if o.GetKind() == "CustomResourceDefinition" {
			continue // the small Kubeflow has it too
		}
		if _, err := client.Do(context.Background(), cluster.Change{Verb: cluster.Delete, Before: o}, cluster.Options{Manager: "test"}); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
	}
}

func TestPendingPVCGetsADefaultStorageClass(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	client := connect(t, ctx)
	mark := func(value string) {
		applyAll(t, ctx, client, objects(t, `{apiVersion: storage.k8s.io/v1, kind: StorageClass, provisioner: disk.csi.azure.com, metadata: {name: default, annotations: {storageclass.kubernetes.io/is-default-class: "`+value+`"}}}`))
	}
	mark("false")
	claim := objects(t, `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: waiting, namespace: kubeflow}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}`)
	applyAll(t, ctx, client, slices.Clone(claim))
	t.Cleanup(func() {
		deleteAll(t, client, claim)
		client := clientOf(t, "")
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		applyAll(t, ctx, client, objects(t, `{apiVersion: storage.k8s.io/v1, kind: StorageClass, provisioner: disk.csi.azure.com, metadata: {name: default, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}}`))
	})
	chosen, err := Find("storage/default-class")
	if err != nil {
		t.Fatal(err)
	}
	if before := fixable(t, ctx, client, chosen); len(before) != 1 {
		t.Fatalf("the fixes are %v", before)
	}
	if _, err := fixes.Apply(ctx, client, chosen, fixes.Options{Wait: time.Minute, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	for class := ""; class == ""; time.Sleep(100 * time.Millisecond) { // the control plane sets it on pending PVCs
		o, err := client.View().Get(ctx, cluster.RefOf(claim[0]))
		if err != nil {
			t.Fatal(err)
		}
		class = kube.Text(o.Object, "spec", "storageClassName")
	}
	if u := undoLast(t, ctx, client); !u.Whole() {
		t.Errorf("the undo is incomplete: %+v", u.Steps)
	}
	class, err := client.View().Get(ctx, cluster.Ref{APIVersion: "storage.k8s.io/v1", Kind: "StorageClass", Name: "managed-csi"})
	if err != nil || class.GetAnnotations()["storageclass.kubernetes.io/is-default-class"] == "true" {
		t.Errorf("managed-csi is still the default: %v", err)
	}
}
