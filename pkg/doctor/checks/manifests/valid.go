package manifests

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var Valid = &doctor.Check{
	ID:    "manifests/valid",
	Title: "The API server accepts every object",
	Why: "The API server rejects an object with an unknown field, a value of another type, a name or label that is not allowed, a selector " +
		"that does not match its own pods, or a request above its limit. An install then stops in the middle.",
	FixNote:   "No automatic fix: correct the manifests, or the overlay that they are rendered from.",
	Sources:   []string{"https://kubernetes.io/docs/reference/using-api/api-concepts/#setting-the-field-validation-level"},
	Manifests: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		objects, ok := e.Manifests(ctx)
		if !ok {
			return nil, doctor.Skip("the API server accepted what is on a cluster")
		}
		known := newSchemas(objects)
		var findings []doctor.Finding
		for _, o := range objects {
			if errs := validate(known, o); len(errs) > 0 {
				findings = append(findings, finding(o, errs))
			}
		}
		return findings, nil
	},
}

// validate returns why the API server would refuse an object, as far as that is known.
func validate(known *schemas, o *unstructured.Unstructured) field.ErrorList {
	kind := o.GroupVersionKind()
	errs := metadataErrors(o)
	if s := known.of(kind); s != nil {
		d := &decoder{builtIn: kube.BuiltIn(kind.GroupKind()), preserve: s.Preserve}
		d.value(nil, s, o.Object)
		if errs = append(errs, d.errs...); len(d.errs) > 0 {
			return errs // what has another type than it should cannot be judged further
		}
	}
	for _, rule := range rules {
		errs = append(errs, rule(o)...)
	}
	return errs
}

// finding reports one object. Values of Secrets are not shown.
func finding(o *unstructured.Unstructured, errs field.ErrorList) doctor.Finding {
	slices.SortStableFunc(errs, func(a, b *field.Error) int { return strings.Compare(a.Field, b.Field) })
	errs = slices.CompactFunc(errs, func(a, b *field.Error) bool { return a.Error() == b.Error() })
	reason := func(e *field.Error) string {
		if o.GetKind() == kube.SecretKind.Kind {
			return e.Field + ": " + e.Type.String()
		}
		return e.Error()
	}
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(o), Field: errs[0].Field},
		Message:     fmt.Sprintf("%s is not valid: %s", kube.KindName(o), text.Names(errs, text.Most, reason)),
		Consequence: "The API server rejects it.",
		Advice:      "Correct the field in the manifests.",
	}
}
