package kube

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Conditions returns an object's status conditions, none of nil. Those of kinds that are older than metav1.Condition, such as Pod and
// Deployment, have the same fields.
func Conditions(o *unstructured.Unstructured) []metav1.Condition {
	if o == nil {
		return nil
	}
	var out []metav1.Condition
	for _, c := range Items(o.Object, "status", "conditions") {
		since, _ := time.Parse(time.RFC3339, Text(c, "lastTransitionTime"))
		out = append(out, metav1.Condition{
			Type: Text(c, "type"), Status: metav1.ConditionStatus(Text(c, "status")), Reason: Text(c, "reason"), Message: Text(c, "message"),
			ObservedGeneration: Number(c, "observedGeneration"), LastTransitionTime: metav1.NewTime(since),
		})
	}
	return out
}

// Condition returns the condition of this type, nil when there is none: meta.FindStatusCondition for unstructured objects.
func Condition(o *unstructured.Unstructured, kind string) *metav1.Condition {
	for _, c := range Conditions(o) {
		if c.Type == kind {
			return &c
		}
	}
	return nil
}

// IsTrue reports whether the condition of this type is there and "True".
func IsTrue(o *unstructured.Unstructured, kind string) bool {
	c := Condition(o, kind)
	return c != nil && c.Status == metav1.ConditionTrue
}
