package enforcer

import (
	admission "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// enforce adds the missing selectors and counts them.
func enforce(meta metav1.ObjectMeta, selectors []**metav1.LabelSelector) int {
	if meta.Annotations[disabled] == "true" || meta.Labels[disabled] == "true" {
		return 0
	}
	open := 0
	for _, selector := range selectors {
		if !guarded(*selector) {
			open++
		}
	}
	return open
}

// guard adds the exclusion to every selector that lacks it.
func guard(selectors []**metav1.LabelSelector) {
	for _, selector := range selectors {
		if guarded(*selector) {
			continue
		}
		if *selector == nil {
			*selector = &metav1.LabelSelector{}
		}
		(*selector).MatchExpressions = append((*selector).MatchExpressions, metav1.LabelSelectorRequirement{
			Key: platformKey, Operator: metav1.LabelSelectorOpDoesNotExist,
		})
	}
}

func guarded(selector *metav1.LabelSelector) bool {
	if selector == nil {
		return false
	}
	for _, e := range selector.MatchExpressions {
		if e.Key == platformKey && e.Operator == metav1.LabelSelectorOpDoesNotExist {
			return true
		}
	}
	return false
}

func selectorsOfMutating(c *admission.MutatingWebhookConfiguration) []**metav1.LabelSelector {
	var all []**metav1.LabelSelector
	for i := range c.Webhooks {
		all = append(all, &c.Webhooks[i].NamespaceSelector)
	}
	return all
}

func selectorsOfValidating(c *admission.ValidatingWebhookConfiguration) []**metav1.LabelSelector {
	var all []**metav1.LabelSelector
	for i := range c.Webhooks {
		all = append(all, &c.Webhooks[i].NamespaceSelector)
	}
	return all
}
