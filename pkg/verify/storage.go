package verify

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

var storage = &Test{
	Name: "storage", Title: "A volume of the default StorageClass is bound and can be written to", Quick: true,
	Checks:  []string{"storage", "nodes", "tenancy/quotas"},
	Parts:   []string{"storage", "csi", "disk"},
	Uses:    []Use{Shell},
	Applies: func(context.Context, *Session) (string, error) { return "", nil },
	Run:     runStorage,
}

var (
	storageClassKind = schema.GroupKind{Group: "storage.k8s.io", Kind: "StorageClass"}
	defaultClass     = []string{"storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"}
)

// runStorage writes a file to a new volume and reads it back.
func runStorage(ctx context.Context, t *T) error {
	if err := t.hasDefaultClass(ctx); err != nil {
		return err
	}
	image, err := t.Image(ctx, Shell)
	if err != nil {
		return err
	}
	claim, err := t.Create(ctx, object("v1", "PersistentVolumeClaim", "storage", map[string]any{
		"accessModes": []any{"ReadWriteOnce"}, "resources": map[string]any{"requests": map[string]any{"storage": "1Gi"}},
	}))
	if err != nil {
		return err
	}
	if _, err := t.Create(ctx, writer(image, "kubeflow-"+t.id)); err != nil {
		return err
	}
	watch := t.watch("storage")
	defer watch.stop()
	err = t.Poll(ctx, func(ctx context.Context) (bool, error) {
		pod, err := watch.look(ctx)
		if pod == nil || err != nil {
			return false, t.unbound(ctx, claim, err)
		}
		switch kube.Text(pod.Object, "status", "phase") {
		case "Succeeded":
			return true, nil
		case "Failed":
			return false, &Failure{About: &watch.ref, Message: "the volume could not be written or read", Logs: t.logs(ctx, watch.ref, "write"),
				Next: "Read the log above, and check the StorageClass: kubectl get storageclass"}
		}
		return false, nil
	})
	if err != nil {
		return t.unbound(ctx, claim, err)
	}
	bound, err := t.Get(ctx, cluster.RefOf(claim))
	if err != nil || bound == nil {
		return fmt.Errorf("reading the claim: %w", err)
	}
	t.Detail("StorageClass %s, volume %s", kube.Text(bound.Object, "spec", "storageClassName"), kube.Text(bound.Object, "spec", "volumeName"))
	return nil
}

func (t *T) hasDefaultClass(ctx context.Context) error {
	classes, err := t.View.List(ctx, storageClassKind, cluster.Scope{})
	if err != nil {
		return nil // a tenant may not list them: the claim tells
	}
	for _, class := range classes {
		if slices.ContainsFunc(defaultClass, func(a string) bool { return class.GetAnnotations()[a] == "true" }) {
			return nil
		}
	}
	return &Failure{Message: "there is no default StorageClass", Next: "Mark one as default: kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true"}
}

// writer is a pod that writes a word to a volume and reads it back.
func writer(image, word string) *unstructured.Unstructured {
	pod, container := restricted(1000)
	o := object("v1", "Pod", "storage", map[string]any{
		"restartPolicy": "Never", "securityContext": pod, "automountServiceAccountToken": false,
		"volumes": []any{map[string]any{"name": "data", "persistentVolumeClaim": map[string]any{"claimName": "storage"}}},
		"containers": []any{map[string]any{
			"name": "write", "image": image, "securityContext": container, "resources": small("64Mi"),
			"command":      []any{"sh", "-c", `echo "$0" > /data/word && test "$(cat /data/word)" = "$0"`, word},
			"volumeMounts": []any{map[string]any{"name": "data", "mountPath": "/data"}},
		}},
	})
	o.SetLabels(map[string]string{"sidecar.istio.io/inject": "false"}) // a sidecar would outlive the program
	o.SetAnnotations(map[string]string{"sidecar.istio.io/inject": "false"})
	return o
}

// unbound replaces an error by what is said of the claim, if that is why.
func (t *T) unbound(ctx context.Context, claim *unstructured.Unstructured, err error) error {
	if err == nil {
		return nil
	}
	reading := context.WithoutCancel(ctx)
	now, getErr := t.Get(reading, cluster.RefOf(claim))
	if getErr != nil || now == nil || kube.Text(now.Object, "status", "phase") == "Bound" {
		return err
	}
	ref := cluster.RefOf(claim)
	if why := t.complaint(reading, now); why != "" {
		return &Failure{About: &ref, Message: "it is not bound: " + why, Next: "kubectl kubeflow doctor storage"}
	}
	return err
}
