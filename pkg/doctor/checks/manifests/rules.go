package manifests

import (
	"fmt"
	"strings"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// A rule returns what the API server refuses of an object, though its fields have the types that they should. Rules look at what they
// know, and return nothing of other kinds.
type rule func(o *unstructured.Unstructured) field.ErrorList

var rules = []rule{selectorErrors, podErrors, serviceErrors, webhookErrors, roleErrors, bindingErrors, definitionErrors, claimErrors, autoscalerErrors, networkPolicyErrors, cronErrors, apiServiceErrors}

// metadataErrors judges labels and annotations, which every kind has.
func metadataErrors(o *unstructured.Unstructured) field.ErrorList {
	at := field.NewPath("metadata")
	errs := labelErrors(o.Object, at.Child("labels"), "metadata", "labels")
	if annotations, found, err := unstructured.NestedStringMap(o.Object, "metadata", "annotations"); err != nil {
		errs = append(errs, textMapError(o.Object, at.Child("annotations"), "metadata", "annotations"))
	} else if found {
		errs = append(errs, apivalidation.ValidateAnnotations(annotations, at.Child("annotations"))...)
	}
	return errs
}

// labelErrors judges a map of labels.
func labelErrors(o map[string]any, at *field.Path, path ...string) field.ErrorList {
	labels, found, err := unstructured.NestedStringMap(o, path...)
	switch {
	case err != nil:
		return field.ErrorList{textMapError(o, at, path...)}
	case !found:
		return nil
	}
	var errs field.ErrorList
	for key, value := range labels { // the API server's errors name the map alone
		for _, e := range metavalidation.ValidateLabels(map[string]string{key: value}, at.Key(key)) {
			e.Field = at.Key(key).String()
			errs = append(errs, e)
		}
	}
	return errs
}

// textMapError names the value of a map that is not text.
func textMapError(o map[string]any, at *field.Path, path ...string) *field.Error {
	for key, value := range kube.Map(o, path...) {
		if !isText(value) {
			at = at.Key(key)
		}
	}
	return field.TypeInvalid(at, field.OmitValueType{}, "must be a string")
}

var workloadKinds = []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind}

func isOneOf(o *unstructured.Unstructured, kinds ...schema.GroupKind) bool {
	for _, kind := range kinds {
		if o.GroupVersionKind().GroupKind() == kind {
			return true
		}
	}
	return false
}

// selectorErrors judges the selector of a workload, by itself and against the labels of its pods.
func selectorErrors(o *unstructured.Unstructured) field.ErrorList {
	if !isOneOf(o, workloadKinds...) {
		return nil
	}
	at := field.NewPath("spec", "selector")
	content := kube.Map(o.Object, "spec", "selector")
	errs := labelSelectorErrors(content, at)
	labels, _, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "labels")
	errs = append(errs, labelErrors(o.Object, field.NewPath("spec", "template", "metadata", "labels"), "spec", "template", "metadata", "labels")...)
	if content == nil || len(errs) > 0 {
		return errs
	}
	for key, value := range kube.Map(content, "matchLabels") {
		if have := labels[key]; fmt.Sprint(value) != have {
			errs = append(errs, field.Invalid(at.Child("matchLabels").Key(key), value,
				fmt.Sprintf("does not match the labels of its own pods: spec.template.metadata.labels has %s=%s", key, have)))
		}
	}
	if len(content) == 0 {
		errs = append(errs, field.Required(at, "an empty selector selects every pod"))
	}
	return errs
}

func labelSelectorErrors(content map[string]any, at *field.Path) field.ErrorList {
	var selector metav1.LabelSelector
	if runtime.DefaultUnstructuredConverter.FromUnstructured(content, &selector) != nil {
		return nil
	}
	return metavalidation.ValidateLabelSelector(&selector, metavalidation.LabelSelectorValidationOptions{}, at)
}

// items calls a function for each map of a list, with its place.
func items(o map[string]any, at *field.Path, name string, do func(at *field.Path, item map[string]any)) {
	list, _ := o[name].([]any)
	for i, item := range list {
		if in, ok := item.(map[string]any); ok {
			do(child(at, name).Index(i), in)
		}
	}
}

// required returns errors for fields that are missing or empty.
func required(at *field.Path, in map[string]any, names ...string) field.ErrorList {
	var errs field.ErrorList
	for _, name := range names {
		if value := in[name]; value == nil || value == "" || value == int64(0) {
			errs = append(errs, field.Required(child(at, name), ""))
		}
	}
	return errs
}

// supported returns an error if a text is none of some.
func supported(at *field.Path, in map[string]any, name string, values ...string) field.ErrorList {
	value, found := in[name].(string)
	if !found {
		return nil
	}
	for _, one := range values {
		if one == value {
			return nil
		}
	}
	return field.ErrorList{field.NotSupported(child(at, name), shortened(value), values)}
}

// named returns errors if a text is not a name as some function demands.
func named(at *field.Path, in map[string]any, name string, problems func(string) []string) field.ErrorList {
	value, found := in[name].(string)
	if !found || value == "" {
		return nil
	}
	var errs field.ErrorList
	if wrong := problems(value); len(wrong) > 0 {
		errs = append(errs, field.Invalid(child(at, name), shortened(value), strings.Join(wrong, "; ")))
	}
	return errs
}
