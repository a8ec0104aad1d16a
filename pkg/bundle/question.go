package bundle

import (
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A question is one request to a View.
type question struct {
	Verb      string `json:"verb"` // get, list, can, serves, logs, raw
	Group     string `json:"group,omitempty"`
	Version   string `json:"version,omitempty"` // for serves only
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Labels    string `json:"labels,omitempty"`
	Fields    string `json:"fields,omitempty"`
	Metadata  bool   `json:"metadata,omitempty"`
	Keep      string `json:"keep,omitempty"`
	May       string `json:"may,omitempty"` // the verb of a can request
	Container string `json:"container,omitempty"`
	Previous  bool   `json:"previous,omitempty"`
	Lines     int64  `json:"lines,omitempty"`
	Path      string `json:"path,omitempty"`
}

func getQuestion(ref cluster.Ref) question {
	return question{Verb: "get", Group: ref.GroupKind().Group, Kind: ref.Kind, Namespace: ref.Namespace, Name: ref.Name}
}

func listQuestion(kind schema.GroupKind, in cluster.Scope) question {
	return question{Verb: "list", Group: kind.Group, Kind: kind.Kind, Namespace: in.Namespace, Labels: in.Labels, Fields: in.Fields, Metadata: in.Metadata, Keep: in.Keep}
}

func canQuestion(verb string, kind schema.GroupKind, in cluster.Scope) question {
	q := listQuestion(kind, in)
	q.Verb, q.May = "can", verb
	return q
}

func servesQuestion(kind schema.GroupVersionKind) question {
	return question{Verb: "serves", Group: kind.Group, Version: kind.Version, Kind: kind.Kind}
}

func logsQuestion(pod cluster.Ref, of cluster.LogScope) question {
	return question{Verb: "logs", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, Container: of.Container, Previous: of.Previous, Lines: of.Lines}
}

func rawQuestion(path string) question { return question{Verb: "raw", Path: path} }

// An answer is the response to a question, without objects and logs, which have files of their own.
type answer struct {
	question
	Yes    bool     `json:"yes,omitempty"`
	Text   string   `json:"text,omitempty"` // for raw
	Failed *failure `json:"failed,omitempty"`
}

// A failure is an error that keeps its type when it is saved.
type failure struct {
	Status  *metav1.Status    `json:"status,omitempty"` // the API server's response
	NoKind  *schema.GroupKind `json:"noKind,omitempty"` // the server has no such kind
	Message string            `json:"message,omitempty"`
}

func failureOf(err error) *failure {
	var status apierrors.APIStatus
	var noKind *meta.NoKindMatchError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &noKind):
		return &failure{NoKind: &noKind.GroupKind}
	case errors.As(err, &status):
		said := status.Status()
		return &failure{Status: &said}
	}
	return &failure{Message: err.Error()}
}

func (f *failure) error() error {
	switch {
	case f == nil:
		return nil
	case f.NoKind != nil:
		return &meta.NoKindMatchError{GroupKind: *f.NoKind}
	case f.Status != nil:
		return &apierrors.StatusError{ErrStatus: *f.Status}
	}
	return errors.New(f.Message)
}
