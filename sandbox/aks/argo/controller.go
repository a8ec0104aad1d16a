package argo

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/pipelines"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/program"
)

// Workflows is the kind of this controller.
var Workflows = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "workflows"}

type controller struct {
	client  kubernetes.Interface
	dynamic dynamic.Interface
	program program.Program
	objects func(ctx context.Context, namespace string) (*pipelines.Objects, error)
}

// Loop creates the loop that runs Workflows. objects connects to the object store with the keys of a namespace.
func Loop(client kubernetes.Interface, dynamic dynamic.Interface, factory informers.SharedInformerFactory, objects func(ctx context.Context, namespace string) (*pipelines.Objects, error)) *control.Poll {
	c := controller{client, dynamic, program.New(factory, "kubeflow", "workflow-controller"), objects}
	return &control.Poll{Name: "workflow controller", Client: dynamic, Ready: c.program.Ready, Reconcile: c.reconcile, Kinds: []schema.GroupVersionResource{Workflows}}
}

func (c controller) reconcile(ctx context.Context, kind schema.GroupVersionResource, o *unstructured.Unstructured) (bool, error) {
	text, err := json.Marshal(o.Object)
	if err != nil {
		return false, err
	}
	var w workflow
	if err := json.Unmarshal(text, &w); err != nil {
		return false, err
	}
	if w.DeletionTimestamp != nil || w.Status.FinishedAt != nil {
		return true, nil
	}
	before, _ := json.Marshal(w.Status)
	c.operate(ctx, &w, o)
	after, _ := json.Marshal(w.Status)
	if string(before) == string(after) {
		return false, nil
	}
	var fields map[string]any
	if err := json.Unmarshal(after, &fields); err != nil {
		return false, err
	}
	o.Object["status"] = fields
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels["workflows.argoproj.io/phase"] = w.Status.Phase
	if w.Status.FinishedAt != nil {
		labels["workflows.argoproj.io/completed"] = "true"
	}
	o.SetLabels(labels)
	_, err = c.dynamic.Resource(kind).Namespace(o.GetNamespace()).Update(ctx, o, metav1.UpdateOptions{FieldManager: "workflow-controller"})
	return false, err
}

// operate advances a Workflow: the root node, and one node for each task of its DAG.
func (c controller) operate(ctx context.Context, w *workflow, o *unstructured.Unstructured) {
	root := w.template(w.Spec.Entrypoint)
	if root == nil || root.DAG == nil {
		w.finish("Error", "the sandbox runs only Workflows whose entrypoint is a DAG")
		return
	}
	if w.Status.Nodes == nil {
		now := metav1.Now()
		w.Status = status{Phase: "Running", StartedAt: &now, Nodes: map[string]Node{
			w.Name: {ID: w.Name, Name: w.Name, DisplayName: w.Name, Type: "DAG", Template: root.Name, Phase: "Running", StartedAt: &now},
		}}
	}
	over, failed := true, ""
	for _, task := range root.DAG.Tasks {
		n := c.task(ctx, w, o, task)
		if n == nil {
			over = false
			continue
		}
		w.Status.Nodes[n.ID] = *n
		w.follow(task, n.ID)
		over = over && n.over()
		if n.failed() && failed == "" {
			failed = fmt.Sprintf("child '%s' failed", n.ID)
		}
	}
	if !over {
		return
	}
	node := w.Status.Nodes[w.Name]
	now := metav1.Now()
	node.FinishedAt, node.Phase, node.Message = &now, "Succeeded", ""
	if failed != "" {
		node.Phase = "Failed"
	}
	w.Status.Nodes[w.Name] = node
	w.finish(node.Phase, failed)
}

func (w *workflow) finish(phase, message string) {
	now := metav1.Now()
	w.Status.Phase, w.Status.Message, w.Status.FinishedAt = phase, message, &now
}

// follow makes a node a child of those that it depends on, or of the root.
func (w *workflow) follow(t task, id string) {
	parents := []string{w.Name}
	if len(t.Dependencies) > 0 {
		parents = nil
		for _, name := range t.Dependencies {
			parents = append(parents, w.id(name))
		}
	}
	for _, parent := range parents {
		p := w.Status.Nodes[parent]
		found := false
		for _, child := range p.Children {
			found = found || child == id
		}
		if !found {
			p.Children = append(p.Children, id)
			w.Status.Nodes[parent] = p
		}
	}
}

// id is the ID of a task's node, and the name of its pod.
func (w *workflow) id(task string) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(w.Name + "." + task))
	return fmt.Sprintf("%s-%d", w.Name, hash.Sum32())
}

// task returns the node of a task as it is now, nil while it waits for others.
func (c controller) task(ctx context.Context, w *workflow, o *unstructured.Unstructured, t task) *Node {
	id := w.id(t.Name)
	n, ok := w.Status.Nodes[id]
	now := metav1.Now()
	if !ok {
		n = Node{ID: id, Name: w.Name + "." + t.Name, DisplayName: t.Name, Type: "Pod", Template: t.Template, Phase: "Pending", StartedAt: &now}
		for _, name := range t.Dependencies {
			before, known := w.Status.Nodes[w.id(name)]
			switch {
			case !known || !before.over():
				return nil
			case before.Phase != "Succeeded":
				n.Phase, n.Type, n.Message, n.FinishedAt = "Omitted", "Skipped", "omitted: depends condition not met", &now
				return &n
			}
		}
	}
	if n.over() {
		return &n
	}
	of := w.template(t.Template)
	if of == nil || of.Container == nil {
		n.Phase, n.Message, n.FinishedAt = "Error", "template has no container", &now
		return &n
	}
	pod, err := c.client.CoreV1().Pods(w.Namespace).Get(ctx, id, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		pod, err = c.client.CoreV1().Pods(w.Namespace).Create(ctx, c.pod(w, o, id, of), metav1.CreateOptions{FieldManager: "workflow-controller"})
	}
	if err != nil {
		if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
			n.Phase, n.Message, n.FinishedAt = "Error", err.Error(), &now
		}
		return &n
	}
	c.observe(ctx, w, &n, t, of, pod)
	return &n
}

// observe sets a node's phase from its pod, as inferFailedReason and its callers do.
func (c controller) observe(ctx context.Context, w *workflow, n *Node, t task, of *template, pod *corev1.Pod) {
	now := metav1.Now()
	switch pod.Status.Phase {
	case corev1.PodPending:
		n.Phase, n.Message = "Pending", ""
		for _, s := range pod.Status.ContainerStatuses {
			if s.State.Waiting != nil && s.State.Waiting.Reason != "" {
				n.Message = s.State.Waiting.Reason
				if s.State.Waiting.Message != "" {
					n.Message += ": " + s.State.Waiting.Message
				}
			}
		}
	case corev1.PodRunning:
		n.Phase, n.Message = "Running", ""
	case corev1.PodFailed:
		n.Phase, n.Message, n.FinishedAt = "Failed", strings.TrimSpace(pod.Status.Message), &now
	case corev1.PodSucceeded:
		n.FinishedAt = &now
		n.Phase, n.Message = c.execute(ctx, w, n, t, of, pod)
	}
}
