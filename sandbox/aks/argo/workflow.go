package argo

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A workflow is what the sandbox reads of a Workflow.
type workflow struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Entrypoint     string     `json:"entrypoint"`
		ServiceAccount string     `json:"serviceAccountName"`
		Templates      []template `json:"templates"`
	} `json:"spec"`
	Status status `json:"status"`
}

type template struct {
	Name      string            `json:"name"`
	Metadata  metav1.ObjectMeta `json:"metadata"`
	Container *corev1.Container `json:"container"`
	DAG       *struct {
		Tasks []task `json:"tasks"`
	} `json:"dag"`
	Inputs  artifacts `json:"inputs"`
	Outputs artifacts `json:"outputs"`
}

type task struct {
	Name         string    `json:"name"`
	Template     string    `json:"template"`
	Dependencies []string  `json:"dependencies"`
	Arguments    artifacts `json:"arguments"`
}

type artifacts struct {
	Artifacts []artifact `json:"artifacts,omitempty"`
}

type artifact struct {
	Name string `json:"name"`
	Path string `json:"path,omitempty"`
	From string `json:"from,omitempty"`
	S3   *key   `json:"s3,omitempty"`
}

type key struct {
	Key string `json:"key"`
}

type status struct {
	Phase      string          `json:"phase,omitempty"`
	Message    string          `json:"message,omitempty"`
	StartedAt  *metav1.Time    `json:"startedAt,omitempty"`
	FinishedAt *metav1.Time    `json:"finishedAt,omitempty"`
	Nodes      map[string]Node `json:"nodes,omitempty"`
}

// A Node is a node of a Workflow's graph.
type Node struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	DisplayName string       `json:"displayName"`
	Type        string       `json:"type"`
	Template    string       `json:"templateName,omitempty"`
	Phase       string       `json:"phase,omitempty"`
	Message     string       `json:"message,omitempty"`
	StartedAt   *metav1.Time `json:"startedAt,omitempty"`
	FinishedAt  *metav1.Time `json:"finishedAt,omitempty"`
	Children    []string     `json:"children,omitempty"`
	Outputs     *artifacts   `json:"outputs,omitempty"`
}

func (n *Node) over() bool { return n.Phase == "Succeeded" || n.failed() || n.Phase == "Omitted" }

func (n *Node) failed() bool { return n.Phase == "Failed" || n.Phase == "Error" }

func (w *workflow) template(name string) *template {
	for i := range w.Spec.Templates {
		if w.Spec.Templates[i].Name == name {
			return &w.Spec.Templates[i]
		}
	}
	return nil
}
