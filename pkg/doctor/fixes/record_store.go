package fixes

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// A record is a Secret in the namespace of this program's records: what an object was before a fix may hold a credential.
const (
	recordPrefix = "kubectl-kubeflow-doctor-"
	recordLabel  = "kubectl-kubeflow/doctor-run"
	recordKey    = "run"
	kept         = 10 // runs that are remembered
)

// The bounds of a record. The API server stores no object above 1.5 MB.
const (
	mostBytes = 1536 << 10
	mostSteps = 5000
)

// runName is the name of a run: when it started.
var runName = regexp.MustCompile(`^\d{8}-\d{6}$`)

// A History is what the records tell.
type History struct {
	Runs    []Run // the newest first
	Spoiled []Spoiled
	Earlier []cluster.Ref // records of older versions in namespace kubeflow, which were not taken over
}

// A Spoiled record cannot be used. The others can.
type Spoiled struct {
	About  cluster.Ref `json:"about"`
	Reason string      `json:"reason"`
}

func (s Spoiled) String() string { return fmt.Sprintf("%s is ignored: %s", s.About, s.Reason) }

// ReadHistory reads the records of earlier fixes. The errors are those of [state.Check], or a failed request.
func ReadHistory(ctx context.Context, view cluster.View) (History, error) {
	var h History
	state.Ahead(ctx, view, cluster.Scope{Labels: recordLabel}, kube.SecretKind)
	for _, kind := range []schema.GroupKind{kube.SecretKind, kube.ConfigMapKind} {
		cluster.Ahead(ctx, view, cluster.Question{Kind: kind, In: cluster.Scope{Namespace: earlierNamespace, Labels: recordLabel, Metadata: true}})
	}
	objects, err := state.List(ctx, view, kube.SecretKind, cluster.Scope{Labels: recordLabel})
	if err != nil {
		return h, err
	}
	for _, o := range objects {
		run, err := decode(o)
		if err != nil {
			h.Spoiled = append(h.Spoiled, Spoiled{About: cluster.RefOf(o), Reason: err.Error()})
			continue
		}
		h.Runs = append(h.Runs, *run)
	}
	slices.SortFunc(h.Runs, func(a, b Run) int { return strings.Compare(b.Name, a.Name) })
	h.Earlier, err = earlier(ctx, view)
	return h, err
}

// Runs returns the runs of [ReadHistory].
func Runs(ctx context.Context, client *cluster.Client) ([]Run, error) {
	h, err := ReadHistory(ctx, client.View())
	return h.Runs, err
}

// Records returns the objects that hold records, with their metadata alone, so that an uninstall can delete them.
func Records(ctx context.Context, view cluster.View) ([]*unstructured.Unstructured, error) {
	all, err := state.List(ctx, view, kube.SecretKind, cluster.Scope{Metadata: true})
	if err != nil {
		return nil, err
	}
	for _, kind := range []schema.GroupKind{kube.SecretKind, kube.ConfigMapKind} {
		older, err := view.List(ctx, kind, cluster.Scope{Namespace: earlierNamespace, Labels: recordLabel, Metadata: true})
		if err != nil && !apierrors.IsForbidden(err) {
			return nil, err
		}
		all = append(all, older...)
	}
	return slices.DeleteFunc(all, func(o *unstructured.Unstructured) bool { return !strings.HasPrefix(o.GetName(), recordPrefix) }), nil
}

// decode reads a run out of the Secret or, of an older version, ConfigMap that holds it. The error says why it cannot be used.
func decode(o *unstructured.Unstructured) (*Run, error) {
	text, _, err := unstructured.NestedString(o.Object, "data", recordKey)
	switch {
	case err != nil || text == "":
		return nil, errors.New("it has no text under the key " + recordKey)
	case len(text) > base64.StdEncoding.EncodedLen(mostBytes):
		return nil, fmt.Errorf("it is larger than %d kB", mostBytes>>10)
	}
	content := []byte(text)
	if o.GetKind() == kube.SecretKind.Kind {
		if content, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, errors.New("it is not base64")
		}
	}
	run := &Run{}
	if err := json.Unmarshal(content, run); err != nil {
		return nil, errors.New("it is not the JSON of a run") // the error may quote its content
	}
	if run.Name != o.GetLabels()[recordLabel] || o.GetName() != recordPrefix+run.Name {
		return nil, errors.New("its name, its label and its content do not name the same run")
	}
	return run, run.valid(time.Now())
}

// valid reports what is wrong with the form of a run.
func (r *Run) valid(now time.Time) error {
	switch started, err := time.Parse("20060102-150405", r.Name); {
	case !runName.MatchString(r.Name) || err != nil:
		return errors.New("it has no valid name")
	case started.After(now.Add(24 * time.Hour)):
		return errors.New("it is of the future")
	case len(r.Steps) > mostSteps:
		return fmt.Errorf("it has more than %d steps", mostSteps)
	}
	for i, s := range r.Steps {
		if s == nil || s.About.Kind == "" || s.About.Name == "" || s.About.APIVersion == "" {
			return fmt.Errorf("step %d does not name an object", i+1)
		}
		if err := s.valid(); err != nil {
			return fmt.Errorf("step %d, of %s: %w", i+1, s.About, err)
		}
	}
	return nil
}

// valid reports what is wrong with the form of a step: it deletes, creates, restarts or updates, and only what it is about.
func (s *Step) valid() error {
	states := []StepState{"", StepPlanned, StepMade, StepFailed, StepDropped, StepReverted}
	verbs := []cluster.Verb{cluster.Apply, cluster.Create, cluster.Patch, cluster.Delete, cluster.Restart}
	switch {
	case !slices.Contains(states, s.State):
		return errors.New("its state is unknown")
	case !slices.Contains(verbs, s.Verb):
		return errors.New("its verb is unknown")
	case (s.Verb == cluster.Delete) != (s.Before != nil):
		return errors.New("a deletion, and only a deletion, has what was deleted")
	case s.Created && (s.Before != nil || len(s.Inverse) > 0 || s.Verb != cluster.Apply && s.Verb != cluster.Create):
		return errors.New("it cannot be a creation")
	case s.Before != nil && cluster.RefOf(s.Before) != s.About:
		return errors.New("what was deleted is another object")
	}
	_, err := decodeInverse(s.Inverse)
	return err
}

// store writes the record.
func (r *Run) store(ctx context.Context, client *cluster.Client) error {
	content, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encoding the record of run %s: %w", r.Name, err)
	}
	object := r.object()
	object.Object["stringData"] = map[string]any{recordKey: string(content)}
	if _, err = client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: object}, cluster.Options{Manager: doctor.Manager, Force: true}); err != nil {
		return fmt.Errorf("storing what undo needs: %w", err)
	}
	return nil
}

func (r *Run) object() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": kube.SecretKind.Kind,
		"metadata": map[string]any{
			"name": recordPrefix + r.Name, "namespace": state.Namespace,
			"labels": map[string]any{state.ManagedByLabel: state.Manager, recordLabel: r.Name},
		},
	}}
}

// prune deletes the oldest records.
func prune(ctx context.Context, client *cluster.Client, runs []Run) error {
	if len(runs) < kept {
		return nil
	}
	for _, r := range runs[kept-1:] {
		_, err := client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: r.object()}, cluster.Options{Manager: doctor.Manager})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}
