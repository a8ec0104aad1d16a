package manifests

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

var cronJobKind = schema.GroupKind{Group: "batch", Kind: "CronJob"}

// podErrors judges a pod, or the template of one.
func podErrors(o *unstructured.Unstructured) field.ErrorList {
	path := []string{"spec", "template", "spec"}
	policies := []string{"Always"}
	switch {
	case isOneOf(o, kube.PodKind):
		path, policies = []string{"spec"}, []string{"Always", "OnFailure", "Never"}
	case isOneOf(o, cronJobKind):
		path, policies = []string{"spec", "jobTemplate", "spec", "template", "spec"}, []string{"OnFailure", "Never"}
	case isOneOf(o, kube.JobKind):
		policies = []string{"OnFailure", "Never"}
	case !isOneOf(o, workloadKinds...):
		return nil
	}
	at := field.NewPath(path[0], path[1:]...)
	spec := kube.Map(o.Object, path...)
	errs := required(at, spec, "containers")
	errs = append(errs, supported(at, spec, "restartPolicy", policies...)...)
	if spec["restartPolicy"] == nil && len(policies) == 2 {
		errs = append(errs, field.Required(at.Child("restartPolicy"), "must be OnFailure or Never"))
	}
	for _, name := range []string{"serviceAccountName", "priorityClassName"} {
		errs = append(errs, named(at, spec, name, validation.IsDNS1123Subdomain)...)
	}
	errs = append(errs, labelErrors(spec, at.Child("nodeSelector"), "nodeSelector")...)
	errs = append(errs, seccompErrors(at.Child("securityContext"), kube.Map(spec, "securityContext"))...)
	errs = append(errs, affinityErrors(at.Child("affinity"), kube.Map(spec, "affinity"))...)
	volumes := map[string]bool{}
	items(spec, at, "volumes", func(at *field.Path, v map[string]any) {
		errs = append(errs, required(at, v, "name")...)
		errs = append(errs, named(at, v, "name", validation.IsDNS1123Label)...)
		errs = append(errs, volumeErrors(at, v)...)
		volumes[kube.Text(v, "name")] = true
	})
	if isOneOf(o, kube.StatefulSetKind) {
		for _, claim := range kube.Items(o.Object, "spec", "volumeClaimTemplates") {
			volumes[kube.Text(claim, "metadata", "name")] = true
		}
	}
	names := map[string]bool{}
	for _, list := range []string{"containers", "initContainers"} {
		items(spec, at, list, func(at *field.Path, c map[string]any) {
			errs = append(errs, containerErrors(at, c, volumes)...)
			if name := kube.Text(c, "name"); names[name] {
				errs = append(errs, field.Duplicate(at.Child("name"), name))
			} else {
				names[name] = true
			}
		})
	}
	return errs
}

func containerErrors(at *field.Path, c map[string]any, volumes map[string]bool) field.ErrorList {
	errs := required(at, c, "name", "image")
	errs = append(errs, named(at, c, "name", validation.IsDNS1123Label)...)
	errs = append(errs, imageErrors(at, c)...)
	errs = append(errs, seccompErrors(at.Child("securityContext"), kube.Map(c, "securityContext"))...)
	ports := map[string]bool{}
	items(c, at, "ports", func(at *field.Path, p map[string]any) {
		errs = append(errs, portErrors(at, p, "containerPort")...)
		errs = append(errs, named(at, p, "name", validation.IsValidPortName)...)
		if name := kube.Text(p, "name"); name != "" && ports[name] {
			errs = append(errs, field.Duplicate(at.Child("name"), name))
		} else {
			ports[name] = true
		}
	})
	items(c, at, "env", func(at *field.Path, v map[string]any) {
		errs = append(errs, required(at, v, "name")...)
		errs = append(errs, envErrors(at, v)...)
	})
	items(c, at, "envFrom", func(at *field.Path, v map[string]any) {
		for _, kind := range []string{"secretRef", "configMapRef"} {
			errs = append(errs, named(at.Child(kind), kube.Map(v, kind), "name", validation.IsDNS1123Subdomain)...)
		}
	})
	items(c, at, "volumeMounts", func(at *field.Path, m map[string]any) {
		errs = append(errs, required(at, m, "name", "mountPath")...)
		if name := kube.Text(m, "name"); name != "" && !volumes[name] {
			errs = append(errs, field.NotFound(at.Child("name"), shortened(name)))
		}
	})
	for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
		errs = append(errs, probeErrors(at.Child(probe), kube.Map(c, probe))...)
	}
	return append(errs, resourceErrors(at.Child("resources"), kube.Map(c, "resources"))...)
}

func imageErrors(at *field.Path, c map[string]any) field.ErrorList {
	image := kube.Text(c, "image")
	if image == "" {
		return nil
	}
	if strings.TrimSpace(image) != image {
		return field.ErrorList{field.Invalid(at.Child("image"), image, "must not have leading or trailing whitespace")}
	}
	if _, err := reference.ParseNormalizedNamed(image); err != nil && !strings.ContainsAny(image, "$<{") && image != "auto" { // a placeholder that something fills in
		return field.ErrorList{field.Invalid(at.Child("image"), shortened(image), "no kubelet can pull it: "+err.Error())}
	}
	return nil
}

func envErrors(at *field.Path, v map[string]any) field.ErrorList {
	from := kube.Map(v, "valueFrom")
	var errs field.ErrorList
	for _, kind := range []string{"secretKeyRef", "configMapKeyRef"} {
		if ref := kube.Map(from, kind); ref != nil {
			errs = append(errs, required(at.Child("valueFrom", kind), ref, "key")...)
			errs = append(errs, named(at.Child("valueFrom", kind), ref, "name", validation.IsDNS1123Subdomain)...)
			errs = append(errs, named(at.Child("valueFrom", kind), ref, "key", validation.IsConfigMapKey)...)
		}
	}
	if ref := kube.Map(from, "resourceFieldRef"); ref != nil {
		name := kube.Text(ref, "resource")
		if kind, what, ok := strings.Cut(name, "."); !ok || kind != "limits" && kind != "requests" || what == "" || !strings.ContainsAny(what, "-/") && what != "cpu" && what != "memory" {
			errs = append(errs, field.NotSupported(at.Child("valueFrom", "resourceFieldRef", "resource"), shortened(name), []string{"limits.cpu", "limits.memory", "requests.cpu", "requests.memory"}))
		}
	}
	if ref := kube.Map(from, "fieldRef"); ref != nil {
		errs = append(errs, fieldPathErrors(at.Child("valueFrom", "fieldRef"), ref, podFields)...)
	}
	if kube.Text(v, "value") != "" && len(from) > 0 {
		errs = append(errs, field.Invalid(at.Child("valueFrom"), "", "may not be specified when value is not empty"))
	}
	return errs
}

// podFields are what a container may be told of its pod; volumes may have less.
var podFields = []string{"metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"}

func fieldPathErrors(at *field.Path, ref map[string]any, fields []string) field.ErrorList {
	path, ok := ref["fieldPath"].(string)
	if base, _, indexed := strings.Cut(path, "["); indexed {
		path = base
	}
	for _, one := range fields {
		if one == path {
			return nil
		}
	}
	if !ok || path == "" {
		return field.ErrorList{field.Required(at.Child("fieldPath"), "")}
	}
	return field.ErrorList{field.NotSupported(at.Child("fieldPath"), shortened(path), fields)}
}

func volumeErrors(at *field.Path, v map[string]any) field.ErrorList {
	var errs field.ErrorList
	sources := 0
	for key, value := range v {
		if key != "name" && value != nil {
			sources++
		}
	}
	if sources > 1 {
		errs = append(errs, field.Forbidden(at, "may not specify more than 1 volume type"))
	}
	files := func(at *field.Path, of map[string]any) {
		items(of, at, "items", func(at *field.Path, item map[string]any) {
			errs = append(errs, required(at, item, "path")...)
			if ref := kube.Map(item, "fieldRef"); ref != nil {
				errs = append(errs, fieldPathErrors(at.Child("fieldRef"), ref, podFields[:5])...)
			} else if kube.Map(item, "resourceFieldRef") == nil {
				errs = append(errs, required(at, item, "key")...)
			}
		})
	}
	for _, source := range []struct{ kind, name string }{{"configMap", "name"}, {"secret", "secretName"}, {"downwardAPI", ""}, {"persistentVolumeClaim", "claimName"}, {"hostPath", "path"}} {
		of := kube.Map(v, source.kind)
		if of == nil {
			continue
		}
		if source.name != "" {
			errs = append(errs, required(at.Child(source.kind), of, source.name)...)
		}
		files(at.Child(source.kind), of)
	}
	items(kube.Map(v, "projected"), at.Child("projected"), "sources", func(at *field.Path, source map[string]any) {
		for _, kind := range []string{"configMap", "secret", "downwardAPI"} {
			files(at.Child(kind), kube.Map(source, kind))
		}
		if token := kube.Map(source, "serviceAccountToken"); token != nil {
			errs = append(errs, required(at.Child("serviceAccountToken"), token, "path")...)
			if seconds, ok := token["expirationSeconds"].(int64); ok && seconds < 600 {
				errs = append(errs, field.Invalid(at.Child("serviceAccountToken", "expirationSeconds"), seconds, "may not specify a duration less than 10 minutes"))
			}
		}
	})
	return errs
}

func probeErrors(at *field.Path, probe map[string]any) field.ErrorList {
	if probe == nil {
		return nil
	}
	var errs field.ErrorList
	handlers := 0
	for _, kind := range []string{"httpGet", "tcpSocket", "grpc", "exec"} {
		handler := kube.Map(probe, kind)
		if handler == nil {
			continue
		}
		handlers++
		if kind != "exec" {
			errs = append(errs, portErrors(at.Child(kind), handler, "port")...)
		} else if len(kube.Texts(handler, "command")) == 0 {
			errs = append(errs, field.Required(at.Child(kind, "command"), ""))
		}
	}
	if handlers != 1 {
		errs = append(errs, field.Required(at, "must specify exactly one handler type"))
	}
	if n, ok := probe["successThreshold"].(int64); ok && n > 1 && !strings.HasSuffix(at.String(), "readinessProbe") {
		errs = append(errs, field.Invalid(at.Child("successThreshold"), n, "must be 1"))
	}
	return errs
}

// portErrors judges a port by its number or name.
func portErrors(at *field.Path, in map[string]any, name string) field.ErrorList {
	switch port := in[name].(type) {
	case int64:
		if port < 1 || port > 65535 {
			return field.ErrorList{field.Invalid(at.Child(name), port, "must be between 1 and 65535, inclusive")}
		}
	case string:
		return named(at, map[string]any{name: "x" + port}, name, func(string) []string { return validation.IsValidPortName(port) })
	case nil:
		return field.ErrorList{field.Required(at.Child(name), "")}
	}
	return nil
}

func seccompErrors(at *field.Path, context map[string]any) field.ErrorList {
	if profile := kube.Map(context, "seccompProfile"); profile != nil {
		return required(at.Child("seccompProfile"), profile, "type")
	}
	return nil
}

// resourceErrors judges requests against limits.
func resourceErrors(at *field.Path, resources map[string]any) field.ErrorList {
	var errs field.ErrorList
	limits := kube.Map(resources, "limits")
	for name, value := range kube.Map(resources, "requests") {
		limit, limited := limits[name]
		wanted, err := resource.ParseQuantity(fmt.Sprint(value))
		most, unparsed := resource.ParseQuantity(fmt.Sprint(limit))
		if limited && err == nil && unparsed == nil && wanted.Cmp(most) > 0 {
			errs = append(errs, field.Invalid(at.Child("requests").Key(name), fmt.Sprint(value), fmt.Sprintf("must be less than or equal to the limit of %v", limit)))
		}
	}
	return errs
}
