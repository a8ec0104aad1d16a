package cluster

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// selectableFields are the fields that API servers select objects by, beside their name and namespace.
var selectableFields = map[schema.GroupKind][]string{
	kube.CertificateSigningRequestKind: {"spec.signerName"},
	kube.EventKind: {
		"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.fieldPath",
		"reason", "reportingComponent", "type",
	},
	kube.JobKind:       {"status.successful"},
	kube.NamespaceKind: {"status.phase"},
	kube.NodeKind:      {"spec.unschedulable"},
	kube.PodKind: {
		"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
		"status.phase", "status.podIP", "status.nominatedNodeName",
	},
	kube.ReplicaSetKind: {"status.replicas"},
	kube.SecretKind:     {"type"},
}

// unset are the fields for which a server reads something else than "" where an object has none.
var unset = map[string]string{"spec.unschedulable": "false", "spec.hostNetwork": "false", "status.replicas": "0", "status.successful": "0"}

// selectable returns the paths that a field selector is about. One by which no server selects this kind is an error: the
// objects that have it cannot be told from those that do not.
func (v *objectView) selectable(kind schema.GroupKind, selector fields.Selector) ([]string, error) {
	known := append([]string{"metadata.name", "metadata.namespace"}, selectableFields[kind]...)
	if definition := v.defines(kind); definition != nil {
		known = append(known, definedFields(definition)...)
	}
	var paths []string
	for _, r := range selector.Requirements() {
		if !slices.Contains(known, r.Field) {
			return nil, &ErrUnknowable{What: fmt.Sprintf("which objects of kind %s have %s %s %q", kind.Kind, r.Field, r.Operator, r.Value), Source: v.source}
		}
		paths = append(paths, r.Field)
	}
	return paths, nil
}

// definedFields returns the paths that a CustomResourceDefinition lets its objects be selected by, in any version.
func definedFields(definition *unstructured.Unstructured) []string {
	var paths []string
	for _, version := range kube.Items(definition.Object, "spec", "versions") {
		for _, field := range kube.Items(version, "selectableFields") {
			paths = append(paths, strings.TrimPrefix(kube.Text(field, "jsonPath"), "."))
		}
	}
	return paths
}

// fieldsOf returns what an object has at some paths.
func fieldsOf(o *unstructured.Unstructured, paths []string) fields.Set {
	set := fields.Set{}
	for _, path := range paths {
		value, found, _ := unstructured.NestedFieldNoCopy(o.Object, strings.Split(path, ".")...)
		if set[path] = unset[path]; found && value != nil {
			set[path] = fmt.Sprint(value)
		}
	}
	return set
}
