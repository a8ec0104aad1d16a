package manifests

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

func definitionErrors(o *unstructured.Unstructured) field.ErrorList {
	if !isOneOf(o, kube.CustomResourceDefinitionKind) {
		return nil
	}
	at, spec := field.NewPath("spec"), kube.Map(o.Object, "spec")
	errs := required(at, spec, "group", "scope")
	errs = append(errs, supported(at, spec, "scope", "Cluster", "Namespaced")...)
	group, plural := kube.Text(spec, "group"), kube.Text(spec, "names", "plural")
	errs = append(errs, named(at, spec, "group", validation.IsDNS1123Subdomain)...)
	if o.GetName() != plural+"."+group {
		wrong := at.Child("names", "plural")
		if !strings.HasSuffix(o.GetName(), "."+group) {
			wrong = at.Child("group")
		}
		errs = append(errs, field.Invalid(wrong, "", "metadata.name must be spec.names.plural+\".\"+spec.group"))
	}
	names := kube.Map(spec, "names")
	errs = append(errs, required(at.Child("names"), names, "plural", "kind")...)
	for _, name := range []string{"plural", "singular"} {
		errs = append(errs, named(at.Child("names"), names, name, validation.IsDNS1035Label)...)
	}
	for _, name := range []string{"kind", "listKind"} {
		errs = append(errs, named(at.Child("names"), names, name, func(s string) []string { return validation.IsDNS1035Label(strings.ToLower(s)) })...)
	}
	for _, name := range []string{"shortNames", "categories"} {
		for i, value := range kube.Texts(names, name) {
			errs = append(errs, named(at.Child("names", name).Index(i), map[string]any{"": value}, "", validation.IsDNS1035Label)...)
		}
	}
	stored, versions := 0, map[string]bool{}
	items(spec, at, "versions", func(at *field.Path, v map[string]any) {
		errs = append(errs, required(at, v, "name")...)
		errs = append(errs, named(at, v, "name", validation.IsDNS1035Label)...)
		if name := kube.Text(v, "name"); versions[name] {
			errs = append(errs, field.Duplicate(at.Child("name"), name))
		} else {
			versions[name] = true
		}
		if v["storage"] == true {
			stored++
		}
		if strings.HasSuffix(o.GetAPIVersion(), "/v1") && kube.Map(v, "schema", "openAPIV3Schema") == nil {
			errs = append(errs, field.Required(at.Child("schema", "openAPIV3Schema"), "schemas are required"))
		}
		errs = append(errs, columnErrors(at, v)...)
	})
	errs = append(errs, columnErrors(at, spec)...)
	if stored != 1 && len(versions) > 0 {
		errs = append(errs, field.Invalid(at.Child("versions"), "", "must have exactly one version with storage: true"))
	}
	conversion := kube.Map(spec, "conversion")
	errs = append(errs, supported(at.Child("conversion"), conversion, "strategy", "None", "Webhook")...)
	for _, path := range [][]string{{"webhook", "clientConfig"}, {"webhookClientConfig"}} {
		if client := kube.Map(conversion, path...); client != nil {
			errs = append(errs, clientErrors(at.Child("conversion", path...), client)...)
			if conversion["strategy"] != "Webhook" {
				errs = append(errs, field.Forbidden(at.Child("conversion", path[0]), "only with strategy Webhook"))
			}
		}
	}
	return errs
}

func columnErrors(at *field.Path, in map[string]any) field.ErrorList {
	var errs field.ErrorList
	items(in, at, "additionalPrinterColumns", func(at *field.Path, c map[string]any) {
		errs = append(errs, required(at, c, "name", "type")...)
		path := "jsonPath"
		if _, older := c["JSONPath"]; older {
			path = "JSONPath"
		}
		if value := kube.Text(c, path); !strings.HasPrefix(value, ".") {
			errs = append(errs, field.Invalid(at.Child(path), shortened(value), "must be a simple json path starting with ."))
		}
		errs = append(errs, supported(at, c, "type", "integer", "number", "string", "boolean", "date")...)
	})
	return errs
}
