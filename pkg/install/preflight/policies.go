package preflight

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// policies are the kinds by which a cluster shows that policies judge what is created.
var policies = []schema.GroupKind{
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"},
	{Group: "templates.gatekeeper.sh", Kind: "ConstraintTemplate"},
	{Group: "kyverno.io", Kind: "ClusterPolicy"},
}

// judgedNow returns which new objects the API server can judge before an install: with policies on the cluster, those that need no namespace, or
// one that exists. Without policies nothing but their own fields could keep them from being created, and they are not asked about.
func judgedNow(ctx context.Context, view cluster.View) (func(plan.Gated) bool, error) {
	judged := false
	for _, kind := range policies {
		list, err := view.List(ctx, kind, cluster.Scope{Metadata: true})
		if err != nil && !meta.IsNoMatchError(err) && !apierrors.IsForbidden(err) && !errors.As(err, new(*cluster.ErrUnknowable)) {
			return nil, err
		}
		judged = judged || len(list) > 0
	}
	if !judged {
		return func(plan.Gated) bool { return false }, nil
	}
	namespaces, err := view.List(ctx, kube.NamespaceKind, cluster.Scope{Metadata: true})
	if err != nil {
		return nil, err
	}
	exists := map[string]bool{"": true}
	for _, ns := range namespaces {
		exists[ns.GetName()] = true
	}
	return func(g plan.Gated) bool {
		return g.Version == "" && exists[g.Object.GetNamespace()] && g.Ref().GroupKind() != kube.CustomResourceDefinitionKind
	}, nil
}

// denial finds the policy in the API server's message.
var denial = regexp.MustCompile(`(?s)(ValidatingAdmissionPolicy|admission webhook) ['"]([^'"]+)['"].*? denied (?:the )?request: (.*)$`)

// denials are rejections by policies, one for each.
type denials struct {
	order []string
	what  map[string]string // who denies → its message
	refs  map[string][]cluster.Ref
}

// take notes a rejection by a policy; false if it is another one.
func (d *denials) take(v *plan.Verdict) bool {
	match := denial.FindStringSubmatch(v.Problem.Error())
	if match == nil {
		return false
	}
	who := match[1] + " " + match[2]
	if d.what == nil {
		d.what, d.refs = map[string]string{}, map[string][]cluster.Ref{}
	}
	if d.what[who] == "" {
		d.order, d.what[who] = append(d.order, who), match[3]
	}
	d.refs[who] = append(d.refs[who], v.Ref)
	return true
}

func (d *denials) problems() []*problem.Error {
	var problems []*problem.Error
	for _, who := range d.order {
		refs := d.refs[who]
		problems = append(problems, &problem.Error{
			What: fmt.Sprintf("%s denies %s: %s (%s)", who, text.Plural(len(refs), "object"), text.Names(refs, text.Most, cluster.Ref.String), d.what[who]),
			Next: "Exclude these objects or their namespaces from the policy, or ask whoever manages it. On AKS it may belong to Deployment Safeguards or AKS Automatic",
		})
	}
	return problems
}
