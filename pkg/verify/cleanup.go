package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/verify/kfp"
)

// Manager is the field manager of what verify creates.
const Manager = "kubectl-kubeflow-verify"

const namePrefix = "kubeflow-verify-"

const (
	managedLabel = "app.kubernetes.io/managed-by"
	runLabel     = "kubectl-kubeflow/verify"      // the run
	testLabel    = "kubectl-kubeflow/verify-test" // the test
)

// kinds are those of the objects that tests create. The ones that belong to them are removed by garbage collection.
var kinds = []schema.GroupKind{
	{Group: "kubeflow.org", Kind: "Notebook"}, {Group: "kubeflow.org", Kind: "Experiment"},
	{Group: "trainer.kubeflow.org", Kind: "TrainJob"}, {Group: "kubeflow.org", Kind: "PyTorchJob"}, {Group: "kubeflow.org", Kind: "MPIJob"},
	{Group: "serving.kserve.io", Kind: "InferenceService"}, {Group: "serving.kubeflow.org", Kind: "InferenceService"},
	{Kind: "Pod"}, {Kind: "PersistentVolumeClaim"},
	{Group: "kubeflow.org", Kind: "Profile"},
}

// removal is how long the removal of the objects of a run may take.
const removal = 2 * time.Minute

func label(o *unstructured.Unstructured, run, test string) {
	labels := o.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[managedLabel], labels[runLabel], labels[testLabel] = "kubectl-kubeflow", run, test
	o.SetLabels(labels)
}

// cleanUp removes what the run created, and returns what is left.
func (s *Session) cleanUp(ctx context.Context) []string {
	s.mu.Lock()
	objects, cleaners := slices.Clone(s.created), slices.Clone(s.cleaners)
	s.mu.Unlock()
	slices.Reverse(objects)
	var left []string
	limited, cancel := context.WithTimeout(ctx, removal/4)
	defer cancel()
	for _, clean := range cleaners {
		if err := clean(limited); err != nil {
			left = append(left, "the run in Pipelines: "+redact.Message(err.Error()))
		}
	}
	return append(left, s.remove(ctx, objects)...)
}

// CleanUp removes what runs left that were killed: in one namespace, or with their Profiles in the whole cluster. Only objects whose
// label this program wrote, as the server notes, are removed.
func CleanUp(ctx context.Context, client *cluster.Client, namespace string) (removed []cluster.Ref, left []string, err error) {
	s := newSession(client, Options{Namespace: namespace})
	defer s.close()
	view := client.View()
	var found []*unstructured.Unstructured
	for _, kind := range kinds {
		if kind.Kind == profileKind.Kind && namespace != "" {
			continue
		}
		list, err := view.List(ctx, kind, cluster.Scope{Namespace: namespace, Labels: runLabel + "," + managedLabel + "=kubectl-kubeflow"})
		if meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		for _, o := range list {
			if ours(o) {
				found = append(found, o)
				removed = append(removed, cluster.RefOf(o))
			}
		}
	}
	left = s.removeRuns(ctx, namespace, found)
	return removed, append(left, s.remove(ctx, found)...), nil
}

// removeRuns removes what killed runs left in the database of Pipelines: the experiments of the namespaces that they created, or of
// the one that the user names. Where Pipelines does not answer they go with it.
func (s *Session) removeRuns(ctx context.Context, namespace string, found []*unstructured.Unstructured) []string {
	owners := map[string]string{}
	for _, o := range found {
		if o.GetKind() == profileKind.Kind {
			owners[o.GetName()] = kube.Text(o.Object, "spec", "owner", "name")
		}
	}
	if namespace != "" && s.useNamespace(ctx) == nil {
		owners[namespace] = s.owner
	}
	var left []string
	for name, owner := range owners {
		limited, cancel := context.WithTimeout(ctx, removal/4)
		c, err := s.pipelinesInside(limited, owner)
		if err == nil {
			err = removeExperiments(limited, c, name)
		}
		cancel()
		if err != nil && namespace != "" && !apierrors.IsForbidden(err) { // with a namespace, what a user sees of them goes
			left = append(left, "runs in Pipelines: "+redact.Message(err.Error()))
		}
	}
	return left
}

func removeExperiments(ctx context.Context, c *kfp.Client, namespace string) error {
	experiments, err := c.Experiments(ctx, namespace)
	if err != nil {
		return err
	}
	for _, e := range experiments {
		if strings.HasPrefix(e.Name, namePrefix) {
			err = errors.Join(err, removeExperiment(ctx, c, e.ID))
		}
	}
	return err
}

// ours reports whether this program created an object for a test. Whoever can label a Profile cannot have it deleted so.
func ours(o *unstructured.Unstructured) bool {
	if o.GetKind() == profileKind.Kind && !strings.HasPrefix(o.GetName(), namePrefix) {
		return false
	}
	return kube.SetBy(o, "/metadata/labels/"+strings.ReplaceAll(runLabel, "/", "~1"), Manager)
}

// remove deletes objects and waits until they are gone, a Profile with its namespace. It returns what is left, and why.
func (s *Session) remove(ctx context.Context, objects []*unstructured.Unstructured) []string {
	ctx, cancel := context.WithTimeout(ctx, removal)
	defer cancel()
	var left []string
	for _, o := range objects {
		_, err := s.Client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: o}, cluster.Options{Manager: Manager, Whole: true})
		if err != nil && !gone(err) && !apierrors.IsConflict(err) {
			left = append(left, fmt.Sprintf("%s: %v", cluster.RefOf(o), err))
		}
	}
	for _, o := range objects {
		ref := cluster.RefOf(o)
		if err := s.awaitGone(ctx, ref); err != nil {
			left = append(left, fmt.Sprintf("%s: %v", ref, err))
		}
		if ref.Kind == profileKind.Kind {
			if err := s.awaitGone(ctx, cluster.Ref{APIVersion: "v1", Kind: "Namespace", Name: ref.Name}); err != nil {
				left = append(left, fmt.Sprintf("Namespace/%s: %v", ref.Name, err))
			}
		}
	}
	return left
}

func (s *Session) awaitGone(ctx context.Context, ref cluster.Ref) error {
	for {
		o, err := s.Latest(ctx, ref)
		switch {
		case err == nil && o == nil, err != nil && gone(err):
			return nil
		case err != nil && ctx.Err() == nil:
			return err
		}
		if kube.Sleep(ctx, pollInterval) == nil {
			continue
		}
		if o != nil && len(o.GetFinalizers()) > 0 {
			return fmt.Errorf("it waits for its finalizer %s", strings.Join(o.GetFinalizers(), ", "))
		}
		return errors.New("it is still being deleted")
	}
}

func gone(err error) bool { return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) }
