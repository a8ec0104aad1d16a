package verify

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/verify/kfp"
)

// A T is what a running test uses.
type T struct {
	*Session
	test  *Test
	clock *clock

	mu      sync.Mutex
	layers  []Reached
	details []string
	images  []string
	graph   []kfp.Line
	waiting string // what it waits for

	forbidden error // what kept it from trying something
}

// Step says what the test does now.
func (t *T) Step(format string, args ...any) {
	step := redact.Message(fmt.Sprintf(format, args...))
	t.mu.Lock()
	same := t.waiting == step
	t.waiting = step
	t.mu.Unlock()
	if !same {
		t.options.Observe(Event{Test: t.test.Name, Step: step})
	}
}

// Detail adds a line of what was seen.
func (t *T) Detail(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.details = append(t.details, fmt.Sprintf(format, args...))
}

// Graph records the steps of a run.
func (t *T) Graph(lines []kfp.Line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, line := range lines {
		line.Message = redact.Message(line.Message)
		t.graph = append(t.graph, line)
	}
}

// Layer records how a layer was reached, and returns the error.
func (t *T) Layer(layer Layer, err error) error {
	reached := Reached{Layer: layer, Status: Passed}
	if err != nil {
		reached.Status, reached.Reason = Failed, err.Error()
	}
	t.reached(reached)
	return err
}

// Skip records why a layer was not tried.
func (t *T) Skip(layer Layer, why string) { t.reached(Reached{layer, NotApplicable, why}) }

func (t *T) reached(r Reached) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.layers = append(t.layers, r)
}

// Image returns the image to use, after --image, and records it.
func (t *T) Image(ctx context.Context, use Use) (string, error) {
	image, err := t.imageOf(ctx, use)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.images = append(t.images, image)
	return image, nil
}

// Create creates an object of the test in its namespace, labelled, and has it removed at the end.
func (t *T) Create(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if o.GetNamespace() == "" {
		o.SetNamespace(t.Namespace)
	}
	label(o, t.id, t.test.Name)
	made, err := t.create(ctx, o)
	if err == nil {
		return made, nil
	}
	ref := cluster.RefOf(o)
	f := &Failure{About: &ref, Message: "it was refused: " + rootCause(err), Next: quotaAdvice(rootCause(err), t.Namespace), err: err}
	switch {
	case f.Next != "":
	case apierrors.IsForbidden(err) && t.options.Namespace != "":
		f.Next = escape.Commandf("Check your permissions in the namespace: kubectl auth can-i --list -n %s", t.Namespace)
	case apierrors.IsForbidden(err):
		f.Next = "Ask the administrator for the permission, or test in a namespace of yours: kubectl kubeflow verify -n NAMESPACE"
	}
	return nil, f
}

// quotaAdvice is what to do if a message says that a quota refused something, "" otherwise.
func quotaAdvice(message, namespace string) string {
	if !strings.Contains(message, "exceeded quota") && !strings.Contains(message, "failed quota") {
		return ""
	}
	return escape.Commandf("Raise the quota (spec.resourceQuotaSpec of the Profile), or free what it counts: kubectl describe resourcequota -n %s", namespace)
}

// Poll calls look until it is done, an error, or the end of the test's time.
func (t *T) Poll(ctx context.Context, look func(ctx context.Context) (done bool, err error)) error {
	for began := time.Now(); ; {
		done, err := look(ctx)
		if done || err != nil {
			return err
		}
		if err := kube.Sleep(ctx, min(max(pollInterval, time.Since(began)/20), slowestPoll)); err != nil {
			return err
		}
	}
}

// Looking is for what sends no events: the API server of Pipelines, the gateway. What lasts longer is asked less often.
const (
	pollInterval = 500 * time.Millisecond
	slowestPoll  = 2 * time.Second
)

// Get reads an object as it is now, nil if it does not exist.
func (t *T) Get(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	return cluster.IgnoreNotFound(t.Client.View().Get(ctx, ref))
}

// Annotate sets an annotation of an object that the test created.
func (t *T) Annotate(ctx context.Context, o *unstructured.Unstructured, key, value string) error {
	change := cluster.Edit(o, func(o *unstructured.Unstructured) {
		annotations := o.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[key] = value
		o.SetAnnotations(annotations)
	})
	change.Before = change.Before.DeepCopy()
	change.Before.SetResourceVersion("") // its controller writes the status meanwhile
	_, err := t.Client.Do(ctx, change, cluster.Options{Manager: Manager})
	return err
}

// object returns an object from its fields.
func object(apiVersion, kind, name string, spec map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name}}}
	if spec != nil {
		o.Object["spec"] = spec
	}
	return o
}

// rootCause returns the API server's own words.
func rootCause(err error) string {
	if status, ok := err.(apierrors.APIStatus); ok { //nolint:errorlint // the wrapped ones are found below
		return status.Status().Message
	}
	if inner := unwrap(err); inner != nil {
		return rootCause(inner)
	}
	return err.Error()
}

func unwrap(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return nil
}

// now is a time as annotations have it.
func now() string { return metav1.Now().UTC().Format(time.RFC3339) }

// A clock ends a test's context when its time is used up. It stands still while images are pulled.
type clock struct {
	mu      sync.Mutex
	left    time.Duration
	pulling int
	pull    time.Duration
	done    chan struct{}
	once    sync.Once
}

const tick = 100 * time.Millisecond

func newClock(ctx context.Context, budget time.Duration) (context.Context, *clock) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := &clock{left: budget, done: make(chan struct{})}
	go func() {
		defer cancel(nil)
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		last := time.Now()
		for {
			select {
			case <-c.done:
				return
			case <-ctx.Done():
				return
			case now := <-ticker.C:
				if c.spend(now.Sub(last)) {
					cancel(errBudget)
					return
				}
				last = now
			}
		}
	}()
	return ctx, c
}

// spend counts time and reports whether the budget is used up.
func (c *clock) spend(d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pulling > 0 {
		c.pull += d
		return false
	}
	c.left -= d
	return c.left <= 0
}

// hold stands still until the returned function is called.
func (c *clock) hold() (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulling++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.pulling--
	})
}

func (c *clock) pulled() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pull
}

func (c *clock) stop() { c.once.Do(func() { close(c.done) }) }
