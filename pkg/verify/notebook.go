package verify

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	_ "embed" // classifier.py

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

var notebook = &Test{
	Name: "notebook", Title: "A notebook starts, runs Python in its kernel, and stops", Quick: true,
	Checks: []string{"notebooks", "tenancy", "mesh", "platform", "pods"},
	Parts:  []string{"notebook", "admission-webhook", "profiles"},
	Uses:   []Use{Notebook},
	Applies: func(ctx context.Context, s *Session) (string, error) {
		served, err := s.View.Serves(ctx, notebookKind)
		if err != nil || served {
			return "", err
		}
		return "notebooks are not installed", nil
	},
	Run: runNotebook,
}

var notebookKind = schema.GroupVersionKind{Group: "kubeflow.org", Version: "v1", Kind: "Notebook"}

const notebookName = "notebook"

// classifier trains a classifier on images of digits that it draws itself, and prints its accuracy.
//
//go:embed classifier.py
var classifier string

const wantedAccuracy = 0.9

// runNotebook starts a notebook, runs Python in it through the gateway, or inside if nobody can sign in, and stops it.
func runNotebook(ctx context.Context, t *T) error {
	image, err := t.Image(ctx, Notebook)
	if err != nil {
		return err
	}
	made, err := t.Create(ctx, notebookOf(image))
	if err != nil {
		return err
	}
	if err := t.awaitNotebook(ctx, made); err != nil {
		return err
	}
	path := "/notebook/" + t.Namespace + "/" + notebookName + "/"
	address, err := t.forwardTo(ctx, t.Namespace, map[string]string{"notebook-name": notebookName}, intstr.FromInt32(8888))
	if err != nil {
		return err
	}
	within := &server{base: "http://" + address, path: path, client: &http.Client{Transport: inside{address, t.owner}, Timeout: 30 * time.Second}}
	if err := t.Layer(Inside, t.answers(ctx, within)); err != nil {
		return t.silent(ctx, err)
	}
	through, layer := within, Inside
	if t.browser != nil {
		through, layer = &server{base: t.browser.base, path: path, client: t.browser.client}, Gateway
		if err := t.answers(ctx, through); err != nil {
			return t.Layer(Gateway, err)
		}
	} else {
		t.Skip(Gateway, t.noSession())
	}
	if err := t.compute(ctx, through); err != nil {
		if layer == Gateway {
			return t.Layer(Gateway, err)
		}
		return err
	}
	if layer == Gateway {
		_ = t.Layer(Gateway, nil)
	}
	return t.stopNotebook(ctx, made)
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func notebookOf(image string) *unstructured.Unstructured {
	_, container := restricted(1000)
	o := object("kubeflow.org/v1", "Notebook", notebookName, map[string]any{"template": map[string]any{"spec": map[string]any{
		"serviceAccountName": "default-editor",
		"containers": []any{map[string]any{
			"name": notebookName, "image": image, "resources": small("1Gi"), "securityContext": container,
		}},
	}}})
	o.SetAnnotations(map[string]string{"notebooks.kubeflow.org/server-type": "jupyter"})
	return o
}

// awaitNotebook waits until the Notebook reports that its server is ready.
func (t *T) awaitNotebook(ctx context.Context, made *unstructured.Unstructured) error {
	watch := t.watch(notebookName + "-0")
	defer watch.stop()
	ref := cluster.RefOf(made)
	began := time.Now()
	return t.Poll(ctx, func(ctx context.Context) (bool, error) {
		pod, err := watch.look(ctx)
		if err != nil {
			return false, err
		}
		o, err := t.Latest(ctx, ref)
		if err != nil || o == nil {
			return false, err
		}
		if pod == nil && time.Since(began) > 3*time.Second {
			if err := t.noPod(ctx, ref); err != nil {
				return false, err
			}
		}
		if kube.Number(o.Object, "status", "readyReplicas") != 1 || kube.Map(o.Object, "status", "containerState", "running") == nil {
			if pod != nil && kube.PodReady(pod) {
				t.Step("the pod is ready, waiting for the status of the Notebook")
			}
			return false, nil
		}
		return true, nil
	})
}

// noPod returns why a Notebook has no pod, if something said so.
func (t *T) noPod(ctx context.Context, ref cluster.Ref) error {
	set, err := t.Latest(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: ref.Namespace, Name: ref.Name})
	if err != nil {
		return err
	}
	if set == nil {
		t.Step("waiting for the notebook controller")
		return nil
	}
	if why := t.complaint(ctx, set); why != "" {
		return refusedPod(cluster.RefOf(set), why)
	}
	return nil
}

// answers waits until the server responds. What listens but responds otherwise is an error.
func (t *T) answers(ctx context.Context, s *server) error {
	t.Step("waiting for the notebook's server")
	began := time.Now()
	return t.Poll(ctx, func(ctx context.Context) (bool, error) {
		status, text, err := s.status(ctx)
		switch {
		case err == nil && status == http.StatusOK:
			return true, nil
		case ctx.Err() != nil:
			return false, nil
		case err != nil, status == http.StatusServiceUnavailable, status == http.StatusNotFound, status == http.StatusBadGateway:
			if time.Since(began) < serverStart {
				return false, nil // it starts, or its route does
			}
		}
		if err != nil {
			return false, &Failure{Message: fmt.Sprintf("the notebook's server does not answer: %v", err)}
		}
		f := &Failure{Message: fmt.Sprintf("the notebook's server answered %d at %sapi/status: %s", status, s.path, text)}
		if status == http.StatusForbidden {
			f.Next = "The mesh rejects the user. Compare the owner of the Profile with the user: kubectl kubeflow doctor auth tenancy mesh"
		}
		return false, f
	})
}

// serverStart is how long a server may take to listen.
const serverStart = 90 * time.Second

// silent adds the log of the server to an error.
func (t *T) silent(ctx context.Context, err error) error {
	f := failureOf(err)
	ref := cluster.Ref{APIVersion: "v1", Kind: "Pod", Namespace: t.Namespace, Name: notebookName + "-0"}
	f.About, f.Logs = &ref, t.logs(context.WithoutCancel(ctx), ref, notebookName)
	if f.Next == "" {
		f.Next = "The image may not be a notebook's: --image notebook=IMAGE"
	}
	return f
}

var accuracyLine = regexp.MustCompile(`accuracy ([0-9.]+)`)

// compute runs the classifier and checks its accuracy.
func (t *T) compute(ctx context.Context, s *server) error {
	t.Step("running Python in the kernel")
	printed, err := s.execute(ctx, classifier)
	if err != nil {
		return err
	}
	match := accuracyLine.FindStringSubmatch(printed)
	if match == nil {
		return &Failure{Message: "the kernel printed no accuracy: " + printed}
	}
	accuracy, err := strconv.ParseFloat(match[1], 64)
	if err != nil || accuracy < wantedAccuracy {
		return &Failure{Message: fmt.Sprintf("the classifier reached an accuracy of %s, expected at least %.2f", match[1], wantedAccuracy)}
	}
	t.Detail("%s", match[0]+" on 28x28 digits")
	return nil
}

// stopNotebook stops the notebook as the web app does, and waits until its pod is gone.
func (t *T) stopNotebook(ctx context.Context, made *unstructured.Unstructured) error {
	t.Step("stopping the notebook")
	if err := t.Annotate(ctx, made, "kubeflow-resource-stopped", now()); err != nil {
		return err
	}
	return t.Poll(ctx, func(ctx context.Context) (bool, error) {
		pod, err := t.Latest(ctx, cluster.Ref{APIVersion: "v1", Kind: "Pod", Namespace: t.Namespace, Name: notebookName + "-0"})
		return pod == nil, err
	})
}
