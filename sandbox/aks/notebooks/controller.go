package notebooks

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/program"
)

type controller struct {
	client  dynamic.Interface
	program program.Program
	pods    corelisters.PodLister
	events  record.EventRecorder
}

// Loop creates the loop that reconciles Notebooks.
func Loop(client dynamic.Interface, factory informers.SharedInformerFactory, events record.EventRecorder) *control.Poll {
	c := controller{
		client: client, program: program.New(factory, "kubeflow", "notebook-controller-deployment"),
		pods: factory.Core().V1().Pods().Lister(), events: events,
	}
	return &control.Poll{
		Name: "notebook controller", Client: client, Ready: c.program.Ready, Reconcile: c.reconcile,
		Kinds: []schema.GroupVersionResource{
			{Group: "kubeflow.org", Version: "v1", Resource: "notebooks"},
			{Group: "kubeflow.org", Version: "v1beta1", Resource: "notebooks"},
		},
	}
}

func (c controller) reconcile(ctx context.Context, kind schema.GroupVersionResource, notebook *unstructured.Unstructured) (bool, error) {
	if notebook.GetDeletionTimestamp() != nil {
		return true, nil // garbage collection deletes the rest
	}
	var spec struct {
		Spec struct {
			Template struct {
				Spec corev1.PodSpec `json:"spec"`
			} `json:"template"`
		} `json:"spec"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(notebook.Object, &spec); err != nil {
		return false, err
	}
	pod := spec.Spec.Template.Spec
	if len(pod.Containers) == 0 {
		return true, nil
	}
	if err := c.create(ctx, notebook, pod); err != nil {
		return false, err
	}
	return c.report(ctx, kind, notebook)
}

func (c controller) create(ctx context.Context, notebook *unstructured.Unstructured, pod corev1.PodSpec) error {
	set, err := statefulSet(notebook, pod)
	if err != nil {
		return err
	}
	service, err := service(notebook, pod)
	if err != nil {
		return err
	}
	for _, want := range []struct {
		kind   schema.GroupVersionResource
		object *unstructured.Unstructured
	}{
		{statefulSets, set}, {services, service}, {virtualServices, c.virtualService(notebook)},
	} {
		if want.object == nil {
			continue
		}
		control.OwnedBy(want.object, notebook)
		if err := control.Ensure(ctx, c.client, want.kind, want.object); err != nil {
			return err
		}
	}
	return nil
}

// report writes the Notebook's status. It is settled when the pods are as the StatefulSet wants them.
func (c controller) report(ctx context.Context, kind schema.GroupVersionResource, notebook *unstructured.Unstructured) (bool, error) {
	set, err := c.client.Resource(statefulSets).Namespace(notebook.GetNamespace()).Get(ctx, notebook.GetName(), metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	ready, _, _ := unstructured.NestedInt64(set.Object, "status", "readyReplicas")
	wanted, _, _ := unstructured.NestedInt64(set.Object, "spec", "replicas")
	pod, err := c.pods.Pods(notebook.GetNamespace()).Get(notebook.GetName() + "-0")
	if err != nil && !apierrors.IsNotFound(err) {
		return false, err
	}
	was, _, _ := unstructured.NestedMap(notebook.Object, "status")
	now := c.status(notebook, int64(ready), pod)
	if !sameStatus(was, now) {
		if pod != nil {
			c.repeat(notebook, pod)
		}
		notebook.Object["status"] = now
		in := c.client.Resource(kind).Namespace(notebook.GetNamespace())
		_, err = in.UpdateStatus(ctx, notebook, metav1.UpdateOptions{FieldManager: control.Manager})
		return false, err
	}
	return ready == wanted, nil
}

// repeat emits the reason for which a pod's container waits as an event of the Notebook.
func (c controller) repeat(notebook *unstructured.Unstructured, pod *corev1.Pod) {
	for _, s := range pod.Status.ContainerStatuses {
		if w := s.State.Waiting; w != nil && w.Message != "" {
			c.events.Eventf(notebook, corev1.EventTypeWarning, w.Reason, "Reissued from pod/%s: %s", pod.Name, w.Message)
		}
	}
}
