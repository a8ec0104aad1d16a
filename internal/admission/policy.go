// Package admission judges objects by ValidatingAdmissionPolicies with the code of the API server, before there is a request. Its main type is
// [Policy].
package admission

import (
	"context"
	"fmt"
	"strings"
	"sync"

	celgo "github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
)

// A Request is the creation of an object that is judged.
type Request struct {
	Object    *unstructured.Unstructured
	Resource  schema.GroupVersionResource
	Namespace *corev1.Namespace // the object's; nil if it is cluster-scoped
	User      string            // "" if it is not known
	Groups    []string
}

// A Policy is a compiled policy.
type Policy struct {
	spec       admissionv1.ValidatingAdmissionPolicySpec
	conditions cel.ConditionEvaluator
	checks     cel.ConditionEvaluator

	// Unknown says why objects cannot be judged: it has parameters, asks for permissions, or does not compile. "" if they can.
	Unknown string
	// ByUser tells that the result depends on who makes a request.
	ByUser bool
}

// baseEnvironment has the functions and types of all expressions: it takes long to make.
var baseEnvironment = sync.OnceValue(func() *environment.EnvSet {
	return environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
})

type expression struct {
	text string
	kind *celgo.Type
}

func (e expression) GetExpression() string      { return e.text }
func (e expression) ReturnTypes() []*celgo.Type { return []*celgo.Type{e.kind} }

type variable struct {
	expression
	name string
}

func (v variable) GetName() string { return v.name }

// Compile compiles a policy as the API server does. What cannot be judged without a request is in Unknown.
func Compile(name string, spec admissionv1.ValidatingAdmissionPolicySpec) *Policy {
	p := &Policy{spec: spec}
	if spec.ParamKind != nil {
		p.Unknown = "it has parameters"
		return p
	}
	compiler, err := cel.NewCompositedCompiler(baseEnvironment())
	if err != nil {
		p.Unknown = err.Error()
		return p
	}
	var all []string
	var variables []cel.NamedExpressionAccessor
	for _, v := range spec.Variables {
		variables, all = append(variables, variable{expression{v.Expression, celgo.AnyType}, v.Name}), append(all, v.Expression)
	}
	var conditions, checks []cel.ExpressionAccessor
	for _, c := range spec.MatchConditions {
		conditions, all = append(conditions, expression{c.Expression, celgo.BoolType}), append(all, c.Expression)
	}
	for _, v := range spec.Validations {
		checks, all = append(checks, expression{v.Expression, celgo.BoolType}), append(all, v.Expression)
	}
	text := strings.Join(all, "\n")
	p.ByUser = strings.Contains(text, "request.userInfo")
	if strings.Contains(text, "authorizer.") {
		p.Unknown = "it asks for permissions of who makes the request"
		return p
	}
	none := cel.OptionalVariableDeclarations{}
	compiler.CompileAndStoreVariables(variables, none, environment.StoredExpressions)
	p.conditions = compiler.CompileCondition(conditions, none, environment.StoredExpressions)
	p.checks = compiler.CompileCondition(checks, none, environment.StoredExpressions)
	for _, err := range append(p.conditions.CompilationErrors(), p.checks.CompilationErrors()...) {
		p.Unknown = fmt.Sprintf("an expression of %s does not compile here: %v", name, err)
	}
	return p
}

// attributes are what the API server knows of a request.
func (r Request) attributes() *admission.VersionedAttributes {
	who := &user.DefaultInfo{Name: r.User, Groups: append([]string{"system:authenticated"}, r.Groups...)}
	namespace := r.Object.GetNamespace()
	kind := r.Object.GroupVersionKind()
	attributes := admission.NewAttributesRecord(r.Object, nil, kind, namespace, r.Object.GetName(), r.Resource, "", admission.Create, &metav1.CreateOptions{}, true, who)
	versioned := &admission.VersionedAttributes{Attributes: attributes, VersionedKind: kind}
	versioned.VersionedObject.Set(r.Object)
	return versioned
}

// Matches reports whether a policy with a binding applies to a request, apart from its matchConditions.
func (p *Policy) Matches(binding admissionv1.ValidatingAdmissionPolicyBindingSpec, r Request) bool {
	attributes := r.attributes()
	if p.spec.MatchConstraints == nil || !matches(p.spec.MatchConstraints, attributes, r) {
		return false
	}
	return binding.MatchResources == nil || matches(binding.MatchResources, attributes, r)
}

func matches(m *admissionv1.MatchResources, attributes admission.Attributes, r Request) bool {
	labelsOf := func(in *corev1.Namespace) labels.Set {
		if r.Object.GetKind() == "Namespace" {
			return r.Object.GetLabels()
		}
		return in.GetLabels()
	}
	if r.Namespace != nil || r.Object.GetKind() == "Namespace" {
		if !selects(m.NamespaceSelector, labelsOf(r.Namespace)) {
			return false
		}
	}
	if !selects(m.ObjectSelector, r.Object.GetLabels()) || anyRule(m.ExcludeResourceRules, attributes) {
		return false
	}
	return len(m.ResourceRules) == 0 || anyRule(m.ResourceRules, attributes)
}

// selects reports whether a selector selects labels; one that cannot be read does, so that its policy is not overlooked.
func selects(selector *metav1.LabelSelector, set labels.Set) bool {
	if selector == nil {
		return true
	}
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err != nil || s.Matches(set)
}

func anyRule(list []admissionv1.NamedRuleWithOperations, attributes admission.Attributes) bool {
	for _, rule := range list {
		named := len(rule.ResourceNames) == 0
		for _, name := range rule.ResourceNames {
			named = named || name == attributes.GetName()
		}
		matcher := rules.Matcher{Rule: rule.RuleWithOperations, Attr: attributes}
		if named && matcher.Matches() {
			return true
		}
	}
	return false
}

// Denies evaluates a policy that matches a request: whether it denies it, and with which message. The error is that an expression cannot be
// evaluated, for example because it reads a field that the API server would have set by default.
func (p *Policy) Denies(ctx context.Context, r Request) (denied bool, message string, err error) {
	attributes := r.attributes()
	request := cel.CreateAdmissionRequest(attributes.Attributes, metav1.GroupVersionResource(r.Resource), metav1.GroupVersionKind(attributes.VersionedKind))
	none := cel.OptionalVariableBindings{}
	results, _, err := p.conditions.ForInput(ctx, attributes, request, none, nil, celconfig.RuntimeCELCostBudgetMatchConditions)
	if err != nil {
		return false, "", err
	}
	var failed error
	for _, result := range results {
		if result.EvalResult == types.False {
			return false, "", nil
		}
		if result.Error != nil {
			failed = result.Error
		}
	}
	if failed != nil {
		return false, "", failed
	}
	results, _, err = p.checks.ForInput(ctx, attributes, request, none, cel.CreateNamespaceObject(r.Namespace), celconfig.RuntimeCELCostBudget)
	if err != nil {
		return false, "", err
	}
	for i, result := range results {
		switch {
		case result.Error != nil:
			failed = result.Error
		case result.EvalResult != types.True:
			v := p.spec.Validations[i]
			if v.Message != "" {
				return true, v.Message, nil
			}
			return true, "failed expression: " + strings.Join(strings.Fields(v.Expression), " "), nil
		}
	}
	return false, "", failed
}
