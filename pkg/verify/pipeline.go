package verify

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/verify/kfp"
)

var pipeline = &Test{
	Name: "pipeline", Title: "A pipeline runs, and its artifact can be read back", Quick: true,
	Checks:  []string{"pipelines", "mesh", "tenancy", "pods", "storage", "auth"},
	Parts:   []string{"pipeline", "workflow", "minio", "seaweedfs", "mysql", "metadata"},
	Uses:    []Use{Shell},
	Applies: hasPipelines,
	Run:     runPipeline,
}

var pipelineServer = cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "kubeflow", Name: "ml-pipeline"}

func hasPipelines(ctx context.Context, s *Session) (string, error) {
	found, err := cluster.IgnoreNotFound(s.View.Get(ctx, pipelineServer))
	switch {
	case apierrors.IsForbidden(err) && s.browser != nil, err == nil && found != nil:
		return "", nil
	case err != nil:
		return "", err
	}
	return "Kubeflow Pipelines is not installed", nil
}

// sample are the names of the tutorial: lower case since Pipelines 2.14.
var sample = []string{"[Tutorial] Data passing in python components", "tutorial-data-passing-in-python-components"}

// runPipeline runs a pipeline of two steps, the second of which reads what the first stored, and reads it back as well.
func runPipeline(ctx context.Context, t *T) error {
	client, err := t.pipelines(ctx)
	if err != nil {
		return err
	}
	t.Detail("Pipelines %s, API %s", cmpOr(client.Tag, "of unknown version"), client.API)
	word := "kubeflow-" + t.id
	source, err := t.pipelineSource(ctx, client, word)
	if err != nil {
		return err
	}
	t.Step("starting a run")
	name := namePrefix + t.id
	experiment, err := client.CreateExperiment(ctx, t.Namespace, name)
	if err != nil {
		return denied(err, "the experiment was refused")
	}
	t.onCleanUp(func(ctx context.Context) error { return removeExperiment(ctx, client, experiment) })
	id, err := client.CreateRun(ctx, experiment, name, "default-editor", source)
	if err != nil {
		return denied(err, "the run was refused")
	}
	run, err := t.follow(ctx, client, id)
	if run != nil {
		t.Graph(run.Tree())
	}
	if err != nil {
		return err
	}
	took := 0.0
	for _, line := range run.Tree() {
		took = max(took, line.Seconds)
	}
	if source.Spec == nil {
		t.Detail("%s: %d steps in %.0fs", sample[0], len(run.Steps), took)
		return nil
	}
	return t.readBack(ctx, client, run, word)
}

// pipelineSource is the pipeline to run: two steps of our own, or the tutorial.
func (t *T) pipelineSource(ctx context.Context, client *kfp.Client, word string) (kfp.Source, error) {
	if !t.options.Sample {
		image, err := t.Image(ctx, Shell)
		if err != nil {
			return kfp.Source{}, err
		}
		return kfp.Source{Spec: kfp.TwoSteps(client.API, image, word)}, nil
	}
	found, err := client.FindPipeline(ctx, sample...)
	if err == nil && found.Pipeline == "" {
		err = &Failure{Message: "the API server has no pipeline " + sample[0], Next: "It loads the samples when it starts: kubectl rollout restart deployment/ml-pipeline -n kubeflow"}
	}
	return found, err
}

// pipelines returns a client of the API server: through the gateway if somebody is signed in there, inside otherwise. Both ways are tried.
func (t *T) pipelines(ctx context.Context) (*kfp.Client, error) {
	t.Step("asking the API server of Pipelines")
	within, err := t.pipelinesInside(ctx, t.owner)
	var f *Failure
	switch {
	case apierrors.IsForbidden(err):
		if t.browser == nil {
			return nil, err
		}
		t.missing(ctx, err)
		t.Skip(Inside, "you may not reach the pods of Pipelines")
	case err != nil:
		f = t.pipelineFailure(ctx, err)
	}
	if f == nil && within != nil {
		if _, err := within.Runs(ctx, t.Namespace, ""); err != nil {
			f = t.pipelineFailure(ctx, err)
		} else if err := t.acceptsToken(ctx, within); err != nil {
			f = failureOf(err)
		}
	}
	if f != nil {
		_ = t.Layer(Inside, f)
		return nil, f
	}
	if within != nil {
		_ = t.Layer(Inside, nil)
	}
	if t.browser == nil {
		t.Skip(Gateway, t.noSession())
		return within, nil
	}
	through, err := kfp.Discover(ctx, t.browser.client, t.browser.base+"/pipeline")
	if err == nil {
		_, err = through.Runs(ctx, t.Namespace, "")
	}
	if err != nil {
		f := failureOf(err)
		f.Next = "The API server works inside the cluster, and what is in front of it does not: kubectl kubeflow doctor mesh auth exposure"
		return nil, t.Layer(Gateway, f)
	}
	return through, t.Layer(Gateway, nil)
}

// pipelinesInside forwards to the API server and says that user sends the requests.
func (s *Session) pipelinesInside(ctx context.Context, user string) (*kfp.Client, error) {
	selector := map[string]string{"app": "ml-pipeline"}
	pods, err := s.Client.View().List(ctx, podKind, cluster.Scope{Namespace: "kubeflow", Labels: "app=ml-pipeline"})
	if err != nil {
		return nil, err
	}
	ready := false
	for _, pod := range pods {
		ready = ready || kube.PodReady(pod)
	}
	if !ready {
		ref := pipelineServer
		return nil, &Failure{About: &ref, Message: "no pod of the API server is ready", Next: "kubectl kubeflow doctor pipelines pods"}
	}
	address, err := s.forwardTo(ctx, "kubeflow", selector, intstr.FromInt32(8888))
	if err != nil {
		return nil, err
	}
	return kfp.Discover(ctx, &http.Client{Transport: inside{address, user}, Timeout: 30 * time.Second}, "http://"+address)
}

// pipelineFailure explains why the API server does not answer as it should.
func (t *T) pipelineFailure(ctx context.Context, err error) *Failure {
	f := failureOf(denied(err, "the API server rejects "+t.owner))
	if f.About == nil {
		ref := pipelineServer
		f.About = &ref
	}
	pods, _ := t.Client.View().List(ctx, podKind, cluster.Scope{Namespace: "kubeflow", Labels: "app=ml-pipeline"})
	for _, pod := range pods {
		if len(f.Logs) == 0 {
			f.Logs = t.logs(ctx, cluster.RefOf(pod), "ml-pipeline-api-server")
		}
	}
	return f
}

// denied says in its own words what the API server refused, and whom to ask.
func denied(err error, what string) error {
	if !kfp.Denied(err) {
		return err
	}
	return &Failure{Message: what + ": " + redact.Message(err.Error()),
		Next: "Compare the owner of the Profile with the user, and the roles kubeflow-pipelines-edit and kubeflow-edit: kubectl kubeflow doctor tenancy auth"}
}

// audience is that of tokens for Pipelines, as PodDefaults project them.
const audience = "pipelines.kubeflow.org"

// acceptsToken checks that the API server accepts a token of default-editor, with which notebooks and steps call it.
func (t *T) acceptsToken(ctx context.Context, within *kfp.Client) error {
	if within.API == kfp.V1 {
		return nil // tokens came with Pipelines 1.4, and its API does not say which it is
	}
	token, err := t.Client.Token(ctx, t.Namespace, "default-editor", audience)
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil // a tenant may not issue one
	}
	if err != nil {
		return err
	}
	as := *within
	as.HTTP = &http.Client{Transport: bearer(token), Timeout: 30 * time.Second}
	if _, err := as.Runs(ctx, t.Namespace, ""); err != nil {
		return &Failure{About: ptr(pipelineServer), Message: "a token of default-editor for the audience " + audience + " is rejected: " + redact.Message(err.Error()),
			Next: "Notebooks cannot start runs. Check TOKEN_REVIEW_AUDIENCE of the API server, its permission for tokenreviews, and the RoleBinding default-editor: kubectl kubeflow doctor pipelines tenancy"}
	}
	t.Detail("a token of default-editor is accepted")
	return nil
}

func ptr[T any](value T) *T { return &value }

// bearer sends a token in place of a header.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return transport.RoundTrip(r)
}

// readBack reads what the first step stored: the artifact itself, or, where the launcher stores it under a name that only ML Metadata
// knows, the log of the step that read it.
func (t *T) readBack(ctx context.Context, client *kfp.Client, run *kfp.Run, word string) error {
	step, artifact := kfp.Output(client.API)
	found := run.Find(step)
	if found == nil {
		return &Failure{Message: "the run succeeded, but has no step " + step}
	}
	t.Step("reading artifact %s", artifact)
	content, err := client.Artifact(ctx, run.ID, found.Node, artifact)
	if err != nil && client.API == kfp.V2 && strings.Contains(err.Error(), "404") {
		t.Detail("step %s read the artifact of step write; logs are not archived", step)
		return nil
	}
	if err != nil {
		return &Failure{Message: fmt.Sprintf("artifact %s of step %s cannot be read: %s", artifact, step, redact.Message(err.Error())),
			Next: "The keys of the object store may be stale: kubectl kubeflow doctor pipelines"}
	}
	if !strings.Contains(string(content), word) {
		return &Failure{Message: fmt.Sprintf("artifact %s of step %s does not contain what was written", artifact, step)}
	}
	t.Detail("%d steps succeeded, artifact %s of step %s was read back", len(run.Steps), artifact, step)
	return nil
}
