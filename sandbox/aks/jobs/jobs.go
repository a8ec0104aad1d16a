// Package jobs simulates the operators of Kubeflow whose objects run pods until they end, or serve, as far as a client waits for them:
// Katib (Experiment), the trainer (TrainJob), the training operator (PyTorchJob) and the MPI operator (MPIJob v1), and
// KServe (InferenceService with a custom predictor).
//
// Each object becomes pods with the labels of its operator; when they have ended its status gets the condition that the operator sets
// (Succeeded, Complete for TrainJob, Ready for InferenceService), with Katib's optimal trial. The names are those of
// pkg/apis/experiments/v1beta1 of kubeflow/katib, pkg/apis/kubeflow.org/v1 of kubeflow/training-operator,
// pkg/apis/trainer/v1alpha1 of kubeflow/trainer and pkg/apis/serving/v1beta1 of kserve/kserve. Trials are no objects of their own, and no
// program runs: a pod that ends has succeeded. Each part runs only while its operator's Deployment is ready.
package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/program"
)

// An operator runs the objects of one kind.
type operator struct {
	kind       schema.GroupVersionResource
	namespaces []string // of its Deployment
	deployment []string
	label      string     // on pods, with the object's name
	condition  string     // when all is done
	serves     bool       // its pods do not end
	creates    string     // the kind that it creates pods through, "" if it creates them itself
	template   [][]string // where the pod templates are, and how often each is run
	count      int
}

func operators() []operator {
	kubeflow := []string{"kubeflow"}
	return []operator{
		{kind: kindOf("kubeflow.org", "v1beta1", "experiments"), namespaces: kubeflow, deployment: []string{"katib-controller"}, label: "katib.kubeflow.org/experiment", creates: "Job",
			condition: "Succeeded", template: [][]string{{"spec", "trialTemplate", "trialSpec", "spec", "template"}}, count: 2},
		{kind: kindOf("kubeflow.org", "v1", "pytorchjobs"), namespaces: kubeflow, deployment: []string{"training-operator", "pytorch-operator"}, label: "training.kubeflow.org/job-name",
			condition: "Succeeded", template: [][]string{{"spec", "pytorchReplicaSpecs", "Master", "template"}}, count: 1},
		{kind: kindOf("kubeflow.org", "v1", "mpijobs"), namespaces: kubeflow, deployment: []string{"mpi-operator", "training-operator"}, label: "mpi_job_name",
			condition: "Succeeded", template: [][]string{{"spec", "mpiReplicaSpecs", "Launcher", "template"}}, count: 1},
		{kind: kindOf("trainer.kubeflow.org", "v1alpha1", "trainjobs"), namespaces: []string{"kubeflow-system", "kubeflow"}, deployment: []string{"kubeflow-trainer-controller-manager"},
			label: "jobset.sigs.k8s.io/jobset-name", creates: "Job", condition: "Complete", count: 1},
		{kind: kindOf("serving.kserve.io", "v1beta1", "inferenceservices"), namespaces: []string{"kubeflow", "kserve"}, deployment: []string{"kserve-controller-manager"},
			label: "serving.kserve.io/inferenceservice", creates: "ReplicaSet", condition: "Ready", serves: true, count: 1},
		{kind: kindOf("serving.kubeflow.org", "v1beta1", "inferenceservices"), namespaces: []string{"kubeflow", "kfserving-system"}, deployment: []string{"kfserving-controller-manager"},
			label: "serving.kubeflow.org/inferenceservice", creates: "ReplicaSet", condition: "Ready", serves: true, count: 1},
	}
}

func kindOf(group, version, resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: resource}
}

// Loops creates the loops of all operators.
func Loops(client kubernetes.Interface, untyped dynamic.Interface, factory informers.SharedInformerFactory) []*control.Poll {
	var all []*control.Poll
	for _, o := range operators() {
		var programs []program.Program
		for _, namespace := range o.namespaces {
			for _, name := range o.deployment {
				programs = append(programs, program.New(factory, namespace, name))
			}
		}
		c := controller{o, client, untyped}
		all = append(all, &control.Poll{
			Name: o.kind.Resource, Client: untyped, Kinds: []schema.GroupVersionResource{o.kind}, Reconcile: c.reconcile,
			Ready: func() bool {
				for _, p := range programs {
					if p.Ready() {
						return true
					}
				}
				return false
			},
		})
	}
	return all
}

type controller struct {
	operator
	client  kubernetes.Interface
	untyped dynamic.Interface
}

func (c controller) reconcile(ctx context.Context, kind schema.GroupVersionResource, o *unstructured.Unstructured) (bool, error) {
	if o.GetDeletionTimestamp() != nil || c.done(o) {
		return true, nil
	}
	template, err := c.pod(o)
	if err != nil || template == nil {
		return template == nil, err
	}
	over := 0
	for i := range c.count {
		name := fmt.Sprintf("%s-%d", o.GetName(), i)
		pod, err := c.client.CoreV1().Pods(o.GetNamespace()).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			yes := true
			made := template.DeepCopy()
			made.Name, made.Namespace = name, o.GetNamespace()
			made.OwnerReferences = []metav1.OwnerReference{{APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Name: o.GetName(), UID: o.GetUID(), Controller: &yes}}
			pod, err = c.client.CoreV1().Pods(o.GetNamespace()).Create(ctx, made, metav1.CreateOptions{FieldManager: control.Manager})
			if apierrors.IsForbidden(err) {
				return false, c.refused(ctx, o, err)
			}
		}
		switch {
		case err != nil:
			return false, err
		case pod.Status.Phase == corev1.PodSucceeded || c.serves && ready(pod):
			over++
		}
	}
	if over < c.count {
		return false, nil
	}
	return false, c.finish(ctx, kind, o)
}

// refused is the event of the controller that creates an object's pods, about the object that it creates them for.
func (c controller) refused(ctx context.Context, o *unstructured.Unstructured, why error) error {
	about := corev1.ObjectReference{APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName(), UID: o.GetUID()}
	reason := "FailedCreatePod"
	if c.creates != "" {
		about = corev1.ObjectReference{Kind: c.creates, Namespace: o.GetNamespace(), Name: o.GetName() + "-0"}
		reason = "FailedCreate"
	}
	now := metav1.Now()
	_, err := c.client.CoreV1().Events(o.GetNamespace()).Create(ctx, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: about.Name + ".refused", Namespace: o.GetNamespace()}, InvolvedObject: about, Type: corev1.EventTypeWarning,
		Reason: reason, Message: "Error creating: " + why.Error(), FirstTimestamp: now, LastTimestamp: now, Count: 1, Source: corev1.EventSource{Component: control.Manager},
	}, metav1.CreateOptions{FieldManager: control.Manager})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func ready(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (c controller) done(o *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, item := range conditions {
		if one, ok := item.(map[string]any); ok && one["type"] == c.condition && one["status"] == "True" {
			return true
		}
	}
	return false
}

// pod is the pod that an object asks for, nil if it asks for none that the sandbox knows.
func (c controller) pod(o *unstructured.Unstructured) (*corev1.Pod, error) {
	template := map[string]any{}
	for _, path := range c.template {
		template, _, _ = unstructured.NestedMap(o.Object, path...)
	}
	if len(c.template) == 0 {
		spec := map[string]any{"restartPolicy": "Never"}
		if containers, ok, _ := unstructured.NestedSlice(o.Object, "spec", "predictor", "containers"); ok {
			spec = map[string]any{"containers": containers}
		} else if trainer, ok, _ := unstructured.NestedMap(o.Object, "spec", "trainer"); ok {
			spec["containers"] = []any{map[string]any{"name": "node", "image": trainer["image"], "command": trainer["command"], "resources": trainer["resourcesPerNode"]}}
			template["metadata"] = map[string]any{"labels": map[string]any{"sidecar.istio.io/inject": "false"}}
		}
		template["spec"] = spec
	}
	text, err := json.Marshal(template)
	if err != nil {
		return nil, err
	}
	var pod corev1.Pod
	if err := json.Unmarshal(text, &pod); err != nil || len(pod.Spec.Containers) == 0 {
		return nil, err
	}
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	pod.Labels[c.label] = o.GetName()
	return &pod, nil
}

// finish sets the condition at the end.
func (c controller) finish(ctx context.Context, kind schema.GroupVersionResource, o *unstructured.Unstructured) error {
	now := time.Now().UTC().Format(time.RFC3339)
	condition := map[string]any{"type": c.condition, "status": "True", "reason": c.condition, "message": "simulated", "lastTransitionTime": now}
	status := map[string]any{"conditions": []any{condition}}
	switch kind.Resource {
	case "experiments":
		condition["lastUpdateTime"] = now
		status["currentOptimalTrial"] = map[string]any{"bestTrialName": o.GetName() + "-1", "observation": map[string]any{"metrics": []any{
			map[string]any{"name": "accuracy", "latest": "0.8", "max": "0.8", "min": "0.8"},
		}}}
		status["trials"], status["trialsSucceeded"] = int64(c.count), int64(c.count)
	case "inferenceservices":
		delete(condition, "reason")
		delete(condition, "message")
		status["url"] = "http://" + o.GetName() + "." + o.GetNamespace() + ".example.com"
	case "pytorchjobs", "mpijobs":
		condition["lastUpdateTime"] = now
		status["replicaStatuses"] = map[string]any{}
	}
	o.Object["status"] = status
	in := c.untyped.Resource(kind).Namespace(o.GetNamespace())
	_, err := in.UpdateStatus(ctx, o, metav1.UpdateOptions{FieldManager: control.Manager})
	if apierrors.IsNotFound(err) { // a CRD without a status of its own
		_, err = in.Update(ctx, o, metav1.UpdateOptions{FieldManager: control.Manager})
	}
	return err
}
