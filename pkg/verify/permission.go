package verify

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Permission is one that the user of a run does not have.
type Permission struct {
	Verb      string `json:"verb"`
	Resource  string `json:"resource"`            // "notebooks.kubeflow.org", "pods/portforward"
	Namespace string `json:"namespace,omitempty"` // "" is the whole cluster
}

func (p Permission) String() string {
	if p.Namespace == "" {
		return p.Verb + " " + p.Resource
	}
	return fmt.Sprintf("%s %s in namespace %s", p.Verb, p.Resource, p.Namespace)
}

// refusal is how an API server says which permission is missing, whichever authorizer decided.
var refusal = regexp.MustCompile(`cannot ([a-z]+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?`)

// missing returns the permission without which an error would not have come, if it is one. Quotas and admission webhooks answer 403 as
// well, and with words of their own: so the server is asked whether the user may.
func (s *Session) missing(ctx context.Context, err error) (p Permission, denied bool) {
	var status apierrors.APIStatus
	if !apierrors.IsForbidden(err) || !errors.As(err, &status) {
		return p, false
	}
	words := refusal.FindStringSubmatch(status.Status().Message)
	if words == nil {
		return p, false
	}
	resource, subresource, _ := strings.Cut(words[2], "/")
	may, err := s.Client.Can(ctx, words[1], schema.GroupResource{Group: words[3], Resource: resource}, subresource, words[4])
	if err != nil || may {
		return p, false
	}
	p = Permission{Verb: words[1], Resource: schema.GroupResource{Group: words[3], Resource: words[2]}.String(), Namespace: words[4]}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.denied, p) {
		s.denied = append(s.denied, p)
	}
	return p, true
}

// noSession says why nobody is signed in at the gateway.
func (s *Session) noSession() string {
	err := cmpErr(s.signin, s.frontOf)
	if apierrors.IsForbidden(err) {
		return "you may not reach the gateway"
	}
	return fmt.Sprintf("no session at the gateway: %v", err)
}

// The roles that give the permissions of a run.
const (
	Role       = "kubectl-kubeflow-verify" // docs/rbac-verify.yaml
	TenantRole = "kubeflow-edit"           // Kubeflow's own, of the contributors of a Profile
)

// Grants returns the commands that give what is missing: in a namespace the role of Kubeflow's contributors, elsewhere that of this program.
func (r *Report) Grants() []string {
	var all []string
	elsewhere := func(p Permission) bool { return !r.tenant || p.Namespace != r.Namespace }
	if slices.ContainsFunc(r.Missing, func(p Permission) bool { return !elsewhere(p) }) {
		all = append(all, fmt.Sprintf("kubectl create rolebinding verify -n %s --clusterrole %s --user USER", r.Namespace, TenantRole))
	}
	if slices.ContainsFunc(r.Missing, elsewhere) {
		all = append(all, fmt.Sprintf("kubectl create clusterrolebinding verify --clusterrole %s --user USER (docs/rbac-verify.yaml)", Role))
	}
	return all
}

// UnknownImages reports whether a user who may test in a namespace may not read which images Kubeflow runs.
func (r *Report) UnknownImages() bool {
	return r.tenant && slices.Contains(r.Missing, Permission{Verb: "list", Resource: "configmaps", Namespace: "kubeflow"})
}

// offered returns the image of a Notebook in the namespace of the run, for users who may read no more than that.
func (s *Session) offered(ctx context.Context, err error) (string, error) {
	if !apierrors.IsForbidden(err) || s.options.Namespace == "" {
		return "", err
	}
	notebooks, listErr := s.View.List(ctx, notebookKind.GroupKind(), cluster.Scope{Namespace: s.options.Namespace})
	if listErr != nil {
		return "", err
	}
	for _, o := range notebooks {
		for _, c := range kube.Items(o.Object, "spec", "template", "spec", "containers") {
			if image := kube.Text(c, "image"); image != "" {
				return image, nil
			}
		}
	}
	return "", err
}
