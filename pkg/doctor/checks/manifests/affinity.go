package manifests

import (
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

func affinityErrors(at *field.Path, affinity map[string]any) field.ErrorList {
	var errs field.ErrorList
	for _, kind := range []string{"podAffinity", "podAntiAffinity"} {
		term := func(at *field.Path, t map[string]any) {
			errs = append(errs, required(at, t, "topologyKey")...)
			errs = append(errs, labelSelectorErrors(kube.Map(t, "labelSelector"), at.Child("labelSelector"))...)
		}
		in := kube.Map(affinity, kind)
		items(in, at.Child(kind), "requiredDuringSchedulingIgnoredDuringExecution", term)
		items(in, at.Child(kind), "preferredDuringSchedulingIgnoredDuringExecution", func(at *field.Path, t map[string]any) {
			term(at.Child("podAffinityTerm"), kube.Map(t, "podAffinityTerm"))
			if w, _ := t["weight"].(int64); w < 1 || w > 100 {
				errs = append(errs, field.Invalid(at.Child("weight"), w, "must be in the range 1-100"))
			}
		})
	}
	return append(errs, nodeAffinityErrors(at.Child("nodeAffinity"), kube.Map(affinity, "nodeAffinity"))...)
}

func nodeAffinityErrors(at *field.Path, in map[string]any) field.ErrorList {
	var errs field.ErrorList
	term := func(at *field.Path, t map[string]any) {
		items(t, at, "matchExpressions", func(at *field.Path, e map[string]any) {
			errs = append(errs, supported(at, e, "operator", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")...)
			errs = append(errs, named(at, e, "key", validation.IsQualifiedName)...)
			if values := kube.Texts(e, "values"); len(values) == 0 && (e["operator"] == "In" || e["operator"] == "NotIn") {
				errs = append(errs, field.Required(at.Child("values"), ""))
			}
			errs = append(errs, required(at, e, "key")...)
		})
	}
	if must := kube.Map(in, "requiredDuringSchedulingIgnoredDuringExecution"); must != nil {
		below := at.Child("requiredDuringSchedulingIgnoredDuringExecution")
		if len(kube.Items(must, "nodeSelectorTerms")) == 0 {
			errs = append(errs, field.Required(below.Child("nodeSelectorTerms"), "must have at least one node selector term"))
		}
		items(must, below, "nodeSelectorTerms", term)
	}
	items(in, at, "preferredDuringSchedulingIgnoredDuringExecution", func(at *field.Path, t map[string]any) {
		term(at.Child("preference"), kube.Map(t, "preference"))
		if w, _ := t["weight"].(int64); w < 1 || w > 100 {
			errs = append(errs, field.Invalid(at.Child("weight"), w, "must be in the range 1-100"))
		}
	})
	return errs
}
