package manifests

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

const rbacGroup = "rbac.authorization.k8s.io"

func serviceErrors(o *unstructured.Unstructured) field.ErrorList {
	if !isOneOf(o, kube.ServiceKind) {
		return nil
	}
	at, spec := field.NewPath("spec"), kube.Map(o.Object, "spec")
	errs := labelErrors(spec, at.Child("selector"), "selector")
	ports := kube.Items(spec, "ports")
	if len(ports) == 0 && spec["type"] != "ExternalName" && spec["clusterIP"] != "None" {
		errs = append(errs, field.Required(at.Child("ports"), ""))
	}
	names := map[string]bool{}
	items(spec, at, "ports", func(at *field.Path, p map[string]any) {
		errs = append(errs, portErrors(at, p, "port")...)
		if p["targetPort"] != nil {
			errs = append(errs, portErrors(at, p, "targetPort")...)
		}
		errs = append(errs, named(at, p, "name", validation.IsDNS1123Label)...)
		name := kube.Text(p, "name")
		if name == "" && len(ports) > 1 {
			errs = append(errs, field.Required(at.Child("name"), "needed with more than one port"))
		} else if names[name] {
			errs = append(errs, field.Duplicate(at.Child("name"), name))
		}
		names[name] = true
	})
	return errs
}

func webhookErrors(o *unstructured.Unstructured) field.ErrorList {
	if !isOneOf(o, kube.MutatingWebhookConfigurationKind, kube.ValidatingWebhookConfigurationKind) {
		return nil
	}
	var errs field.ErrorList
	beta := strings.HasSuffix(o.GetAPIVersion(), "/v1beta1")
	items(o.Object, nil, "webhooks", func(at *field.Path, w map[string]any) {
		errs = append(errs, required(at, w, "name")...)
		if !beta {
			errs = append(errs, required(at, w, "sideEffects", "admissionReviewVersions")...)
			errs = append(errs, named(at, w, "name", func(name string) []string {
				if strings.Count(name, ".") < 2 {
					return []string{"should be a domain with at least three segments separated by dots"}
				}
				return validation.IsDNS1123Subdomain(name)
			})...)
			errs = append(errs, supported(at, w, "sideEffects", "None", "NoneOnDryRun")...)
		}
		errs = append(errs, supported(at, w, "failurePolicy", "Fail", "Ignore")...)
		errs = append(errs, supported(at, w, "matchPolicy", "Exact", "Equivalent")...)
		errs = append(errs, supported(at, w, "reinvocationPolicy", "Never", "IfNeeded")...)
		if n, ok := w["timeoutSeconds"].(int64); ok && (n < 1 || n > 30) {
			errs = append(errs, field.Invalid(at.Child("timeoutSeconds"), n, "must be between 1 and 30"))
		}
		for _, name := range []string{"namespaceSelector", "objectSelector"} {
			errs = append(errs, labelSelectorErrors(kube.Map(w, name), at.Child(name))...)
		}
		errs = append(errs, clientErrors(at.Child("clientConfig"), kube.Map(w, "clientConfig"))...)
		items(w, at, "rules", func(at *field.Path, r map[string]any) {
			for _, name := range []string{"operations", "apiGroups", "apiVersions", "resources"} {
				if len(kube.Texts(r, name)) == 0 {
					errs = append(errs, field.Required(at.Child(name), ""))
				}
			}
			for i, operation := range kube.Texts(r, "operations") {
				errs = append(errs, supported(at.Child("operations").Index(i), map[string]any{"": operation}, "", "*", "CREATE", "UPDATE", "DELETE", "CONNECT")...)
			}
			for _, name := range []string{"apiVersions", "resources"} {
				for i, value := range kube.Texts(r, name) {
					if value == "" {
						errs = append(errs, field.Required(at.Child(name).Index(i), ""))
					}
				}
			}
			errs = append(errs, supported(at, r, "scope", "*", "Cluster", "Namespaced")...)
		})
	})
	return errs
}

// clientErrors judges how the API server reaches a webhook.
func clientErrors(at *field.Path, client map[string]any) field.ErrorList {
	service := kube.Map(client, "service")
	if service == nil {
		if kube.Text(client, "url") == "" {
			return field.ErrorList{field.Required(at, "exactly one of url or service is required")}
		}
		return nil
	}
	at = at.Child("service")
	errs := required(at, service, "name", "namespace")
	if path, ok := service["path"].(string); ok && !strings.HasPrefix(path, "/") {
		errs = append(errs, field.Invalid(at.Child("path"), shortened(path), "must start with a /"))
	}
	if service["port"] != nil {
		errs = append(errs, portErrors(at, service, "port")...)
	}
	return errs
}

func roleErrors(o *unstructured.Unstructured) field.ErrorList {
	if !isOneOf(o, schema.GroupKind{Group: rbacGroup, Kind: "Role"}, schema.GroupKind{Group: rbacGroup, Kind: "ClusterRole"}) {
		return nil
	}
	var errs field.ErrorList
	items(o.Object, nil, "rules", func(at *field.Path, r map[string]any) {
		if len(kube.Texts(r, "verbs")) == 0 {
			errs = append(errs, field.Required(at.Child("verbs"), "must contain at least one value"))
		}
		if len(kube.Texts(r, "nonResourceURLs")) > 0 {
			return
		}
		for _, name := range []string{"apiGroups", "resources"} {
			if len(kube.Texts(r, name)) == 0 {
				errs = append(errs, field.Required(at.Child(name), "must contain at least one value"))
			}
		}
	})
	items(kube.Map(o.Object, "aggregationRule"), field.NewPath("aggregationRule"), "clusterRoleSelectors", func(at *field.Path, s map[string]any) {
		errs = append(errs, labelSelectorErrors(s, at)...)
	})
	return errs
}

func bindingErrors(o *unstructured.Unstructured) field.ErrorList {
	cluster := isOneOf(o, schema.GroupKind{Group: rbacGroup, Kind: "ClusterRoleBinding"})
	if !cluster && !isOneOf(o, schema.GroupKind{Group: rbacGroup, Kind: "RoleBinding"}) {
		return nil
	}
	at, role := field.NewPath("roleRef"), kube.Map(o.Object, "roleRef")
	errs := required(at, role, "name")
	errs = append(errs, supported(at, role, "apiGroup", rbacGroup)...)
	kinds := []string{"Role", "ClusterRole"}
	if cluster {
		kinds = kinds[1:]
	}
	errs = append(errs, supported(at, role, "kind", kinds...)...)
	items(o.Object, nil, "subjects", func(at *field.Path, s map[string]any) {
		errs = append(errs, required(at, s, "name")...)
		errs = append(errs, supported(at, s, "kind", "ServiceAccount", "User", "Group")...)
		group := rbacGroup
		if s["kind"] == "ServiceAccount" {
			group = ""
			errs = append(errs, named(at, s, "name", validation.IsDNS1123Subdomain)...)
			if cluster {
				errs = append(errs, required(at, s, "namespace")...)
			}
		}
		errs = append(errs, supported(at, s, "apiGroup", group)...)
	})
	return errs
}

func claimErrors(o *unstructured.Unstructured) field.ErrorList {
	if !isOneOf(o, kube.PersistentVolumeClaimKind) {
		return nil
	}
	at, spec := field.NewPath("spec"), kube.Map(o.Object, "spec")
	errs := required(at, spec, "accessModes")
	for i, mode := range kube.Texts(spec, "accessModes") {
		errs = append(errs, supported(at.Child("accessModes").Index(i), map[string]any{"": mode}, "", "ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")...)
	}
	return append(errs, required(at.Child("resources", "requests"), kube.Map(spec, "resources", "requests"), "storage")...)
}

func autoscalerErrors(o *unstructured.Unstructured) field.ErrorList {
	if !isOneOf(o, schema.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}) {
		return nil
	}
	at, spec := field.NewPath("spec"), kube.Map(o.Object, "spec")
	errs := required(at, spec, "maxReplicas")
	errs = append(errs, required(at.Child("scaleTargetRef"), kube.Map(spec, "scaleTargetRef"), "kind", "name")...)
	if most, ok := spec["maxReplicas"].(int64); ok && kube.Number(spec, "minReplicas") > most {
		errs = append(errs, field.Invalid(at.Child("maxReplicas"), most, "must be greater than or equal to minReplicas"))
	}
	items(spec, at, "metrics", func(at *field.Path, m map[string]any) {
		errs = append(errs, supported(at, m, "type", "Object", "Pods", "Resource", "External", "ContainerResource")...)
		if target := kube.Map(m, "resource", "target"); target != nil {
			errs = append(errs, required(at.Child("resource", "target"), target, "type")...)
			errs = append(errs, supported(at.Child("resource", "target"), target, "type", "Utilization", "Value", "AverageValue")...)
		}
		for _, name := range []string{"targetAverageUtilization"} {
			if n, ok := kube.Map(m, "resource")[name].(int64); ok && n < 1 {
				errs = append(errs, field.Invalid(at.Child("resource", name), n, "must be greater than 0"))
			}
		}
	})
	return errs
}

func networkPolicyErrors(o *unstructured.Unstructured) field.ErrorList {
	if !isOneOf(o, kube.NetworkPolicyKind) {
		return nil
	}
	at, spec := field.NewPath("spec"), kube.Map(o.Object, "spec")
	errs := labelSelectorErrors(kube.Map(spec, "podSelector"), at.Child("podSelector"))
	for i, kind := range kube.Texts(spec, "policyTypes") {
		errs = append(errs, supported(at.Child("policyTypes").Index(i), map[string]any{"": kind}, "", "Ingress", "Egress")...)
	}
	for direction, peers := range map[string]string{"ingress": "from", "egress": "to"} {
		items(spec, at, direction, func(at *field.Path, r map[string]any) {
			items(r, at, "ports", func(at *field.Path, p map[string]any) {
				if p["port"] != nil {
					errs = append(errs, portErrors(at, p, "port")...)
				}
				errs = append(errs, supported(at, p, "protocol", "TCP", "UDP", "SCTP")...)
			})
			items(r, at, peers, func(at *field.Path, peer map[string]any) {
				if len(peer) == 0 {
					errs = append(errs, field.Required(at, "must specify a peer: podSelector, namespaceSelector or ipBlock"))
				}
				for _, name := range []string{"podSelector", "namespaceSelector"} {
					errs = append(errs, labelSelectorErrors(kube.Map(peer, name), at.Child(name))...)
				}
			})
		})
	}
	return errs
}

func apiServiceErrors(o *unstructured.Unstructured) field.ErrorList {
	if !isOneOf(o, kube.APIServiceKind) {
		return nil
	}
	at, spec := field.NewPath("spec"), kube.Map(o.Object, "spec")
	errs := required(at, spec, "version")
	if o.GetName() != kube.Text(spec, "version")+"."+kube.Text(spec, "group") {
		errs = append(errs, field.Invalid(at.Child("group"), kube.Text(spec, "group"), "metadata.name must be spec.version+\".\"+spec.group"))
	}
	if service := kube.Map(spec, "service"); service != nil {
		errs = append(errs, required(at.Child("service"), service, "name", "namespace")...)
	}
	return errs
}

// cronErrors judges the schedule of a CronJob by its form: five fields, or a macro.
func cronErrors(o *unstructured.Unstructured) field.ErrorList {
	if !isOneOf(o, cronJobKind) {
		return nil
	}
	at, spec := field.NewPath("spec"), kube.Map(o.Object, "spec")
	errs := required(at, spec, "schedule")
	return append(errs, named(at, spec, "schedule", func(schedule string) []string {
		switch fields := strings.Fields(schedule); {
		case strings.Contains(schedule, "TZ"):
			return []string{"must not set a time zone: use spec.timeZone"}
		case strings.HasPrefix(schedule, "@"), len(fields) == 5 && !strings.ContainsAny(schedule, "!_;"):
			return nil
		}
		return []string{"must have five fields: minute, hour, day of month, month, day of week"}
	})...)
}
