package verify

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/verify/kfp"
)

var isolation = &Test{
	Name: "isolation", Title: "One user cannot reach another's namespace, notebook and runs", Quick: true,
	Checks: []string{"tenancy", "auth", "mesh", "exposure", "installation"},
	Parts:  []string{"profiles", "kfam", "pipeline", "istiod"},
	Uses:   []Use{Notebook},
	Applies: func(_ context.Context, s *Session) (string, error) {
		if s.frontOf == nil && s.open() {
			return "nobody signs in to this Kubeflow: everybody is " + anonymous, nil
		}
		return "", nil
	},
	Run: runIsolation,
}

// stranger is a user who has no access to the namespace of the run, and owns the second one.
const stranger = "kubeflow-verify-other@example.com"

// runIsolation asks for the first user's things as another user, and for another user's things as the one who is signed in.
func runIsolation(ctx context.Context, t *T) error {
	tried := 0
	for _, look := range []func(context.Context, *T) (int, error){strangerInCluster, strangerInPipelines, signedInElsewhere} {
		n, err := look(ctx, t)
		if err != nil {
			return err
		}
		tried += n
	}
	if tried == 0 {
		return cmpErr(t.forbidden, &Failure{Message: "nothing could be tried: " + t.noSession(), Next: "Ask the administrator to run this test: kubectl kubeflow verify isolation"})
	}
	t.Detail("%d attempts of another user were refused", tried)
	return nil
}

// private are objects of a namespace that only its owner and contributors see.
var private = []schema.GroupResource{
	{Resource: "pods"}, {Resource: "secrets"}, {Resource: "persistentvolumeclaims"}, {Group: "kubeflow.org", Resource: "notebooks"}, {Group: "pipelines.kubeflow.org", Resource: "runs"},
}

// strangerInCluster asks the API server what a stranger may do in the namespace.
func strangerInCluster(ctx context.Context, t *T) (int, error) {
	t.Step("reviewing the access of another user")
	for n, kind := range private {
		for _, verb := range []string{"list", "create"} {
			may, err := t.Client.May(ctx, stranger, verb, kind, t.Namespace)
			switch {
			case apierrors.IsForbidden(err):
				t.forbidden = err
				t.Skip(Inside, "you may not review the access of others")
				return n, nil
			case err != nil:
				return n, err
			case may:
				return n, t.Layer(Inside, &Failure{Message: fmt.Sprintf("any user may %s %s in namespace %s", verb, kind, t.Namespace),
					Next: "Find the RoleBinding or ClusterRoleBinding for all users: kubectl get rolebindings,clusterrolebindings -A -o wide"})
			}
		}
	}
	return len(private), nil
}

// strangerInPipelines lists the namespace's runs as a stranger.
func strangerInPipelines(ctx context.Context, t *T) (int, error) {
	why, err := hasPipelines(ctx, t.Session)
	if apierrors.IsForbidden(err) {
		t.forbidden = cmpErr(t.forbidden, err)
		return 0, nil
	}
	if why != "" || err != nil {
		return 0, err
	}
	client, err := t.pipelinesInside(ctx, stranger)
	if err != nil {
		return 0, nil //nolint:nilerr // the test of pipelines says why
	}
	_, err = client.Runs(ctx, t.Namespace, "")
	switch {
	case kfp.Denied(err):
		return 1, t.Layer(Inside, nil)
	case err != nil:
		return 0, t.Layer(Inside, err)
	}
	return 1, t.Layer(Inside, &Failure{About: ptr(pipelineServer), Message: "it shows the runs of namespace " + t.Namespace + " to " + stranger,
		Next: "Pipelines may run for a single user: check MULTIUSER of the API server: kubectl kubeflow doctor pipelines tenancy"})
}

// signedInElsewhere asks through the gateway, as the user who is signed in, for what belongs to somebody else.
func signedInElsewhere(ctx context.Context, t *T) (int, error) {
	switch {
	case t.browser == nil || t.browser.user == "":
		t.Skip(Gateway, t.noSession())
		return 0, nil
	case t.options.Namespace != "":
		t.Skip(Gateway, "a second Profile is needed, which -n does not create")
		return 0, nil
	}
	other := namePrefix + t.id + "-other"
	t.Step("creating Profile %s", other)
	if err := t.otherProfile(ctx, other); err != nil {
		return 0, err
	}
	tried, err := t.pagesOf(ctx, other)
	if err == nil {
		var more int
		more, err = t.foreignNotebook(ctx, other)
		tried += more
	}
	return tried, t.Layer(Gateway, err)
}

func (t *T) otherProfile(ctx context.Context, name string) error {
	o := object("kubeflow.org/v1", "Profile", name, map[string]any{"owner": map[string]any{"kind": "User", "name": stranger}})
	label(o, t.id, t.test.Name)
	if _, err := t.create(ctx, o); err != nil {
		return err
	}
	return t.awaitProfile(ctx, name)
}

// pagesOf asks the web apps for another namespace. 404 is an app that is not installed.
func (t *T) pagesOf(ctx context.Context, other string) (tried int, err error) {
	paths := []string{"/jupyter/api/namespaces/" + other + "/notebooks", "/volumes/api/namespaces/" + other + "/pvcs", "/tensorboards/api/namespaces/" + other + "/tensorboards"}
	for _, path := range paths {
		t.Step("asking for %s", path)
		p, err := t.browser.get(ctx, path)
		if err != nil {
			return tried, err
		}
		switch p.status {
		case http.StatusForbidden, http.StatusUnauthorized:
			tried++
		case http.StatusNotFound, http.StatusServiceUnavailable:
		case http.StatusOK:
			if !strings.Contains(p.text, `"success"`) {
				continue // a page, not the API
			}
			return tried, &Failure{Message: fmt.Sprintf("%s may see %s, which belongs to %s", t.browser.user, path, stranger), Next: "Find why: " + escape.Commandf("kubectl auth can-i --list -n %s --as %s", other, t.browser.user)}
		default:
			return tried, p.unexpected("403")
		}
	}
	client, err := kfp.Discover(ctx, t.browser.client, t.browser.base+"/pipeline")
	if err != nil {
		return tried, nil //nolint:nilerr // the test of pipelines says why
	}
	if _, err = client.Runs(ctx, other, ""); kfp.Denied(err) {
		return tried + 1, nil
	} else if err != nil {
		return tried, err
	}
	return tried, &Failure{About: ptr(pipelineServer), Message: fmt.Sprintf("it shows the runs of namespace %s to %s", other, t.browser.user), Next: "kubectl kubeflow doctor pipelines tenancy"}
}

// foreignNotebook starts a notebook of the other user and opens it as the one who is signed in: the mesh must refuse that.
func (t *T) foreignNotebook(ctx context.Context, other string) (int, error) {
	if why, err := notebook.Applies(ctx, t.Session); why != "" || err != nil {
		return 0, err
	}
	image, err := t.Image(ctx, Notebook)
	if err != nil {
		return 0, err
	}
	o := notebookOf(image)
	o.SetNamespace(other)
	made, err := t.Create(ctx, o)
	if err != nil {
		return 0, err
	}
	watch := t.watch(notebookName + "-0")
	watch.ref.Namespace = other
	defer watch.stop()
	path := "/notebook/" + other + "/" + notebookName + "/api/status"
	return 1, t.Poll(ctx, func(ctx context.Context) (bool, error) {
		pod, err := watch.look(ctx)
		if err != nil || pod == nil || !kube.PodReady(pod) {
			return false, err
		}
		t.Step("opening the notebook of another user")
		p, err := t.browser.get(ctx, path)
		switch {
		case err != nil:
			return false, err
		case p.status == http.StatusForbidden || p.status == http.StatusUnauthorized:
			return true, nil
		case p.status == http.StatusNotFound || p.status == http.StatusServiceUnavailable:
			return false, nil // the route or the server follows
		}
		ref := cluster.RefOf(made)
		return false, &Failure{About: &ref, Message: fmt.Sprintf("%s can open the notebook of %s: the gateway answered %d %s", t.browser.user, stranger, p.status, redact.Message(firstLine([]byte(p.text)))),
			Next: "The AuthorizationPolicy ns-owner-access-istio of the namespace does not protect it, or the pod has no sidecar: kubectl kubeflow doctor tenancy mesh"}
	})
}
