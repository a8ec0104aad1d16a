package redact

import (
	"encoding/base64"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// labels keeps labels and annotations: a key or value that is not known has a replacement, so that selectors still match.
func (r Rules) labels(field string, v any) any {
	return r.eachKey(v, func(key string, v any) any {
		value, isText := v.(string)
		if !isText || strings.Contains(key, "last-applied") {
			return nil
		}
		if IsCredential(key) || !Word(value) && !Setting(key, value) && (field == "annotations" || !namesThing(key) || !Identifier(value)) {
			return r.hide(value)
		}
		return value
	})
}

// eachKey keeps a map whose keys users choose: a key that is not known has a replacement, and an entry without a value is left out.
func (r Rules) eachKey(v any, value func(key string, v any) any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	out := map[string]any{}
	for _, key := range sortedKeys(m) {
		shown := key
		if !Known(key) {
			shown = r.Replace(key)
		}
		if kept := value(key, m[key]); kept != nil {
			out[shown] = kept
		}
	}
	return out
}

// namingDomains are domains of labels whose values are names: of node pools, sizes, zones, programs.
var namingDomains = setOf("kubernetes.azure.com", "kubernetes.io", "beta.kubernetes.io", "node.kubernetes.io", "topology.kubernetes.io", "failure-domain.beta.kubernetes.io", "app.kubernetes.io", "istio.io", "service.istio.io", "gateway.networking.k8s.io", "pod-security.kubernetes.io", "karpenter.sh", "serving.knative.dev", "katib.kubeflow.org")

// namingLabels are labels without a domain whose values are names.
var namingLabels = setOf("app", "istio", "component", "agentpool", "control-plane", "notebook-name", "name", "release", "tier", "version")

// namesThing reports whether the value of a label is a name, as those of objects are.
func namesThing(key string) bool {
	domain, _, qualified := strings.Cut(key, "/")
	return qualified && namingDomains[domain] || namingLabels[key]
}

// resources keeps quantities by resource: "nvidia.com/gpu: 1".
func (r Rules) resources(_ string, v any) any {
	return r.eachKey(v, func(_ string, value any) any {
		if text, ok := value.(string); ok {
			return r.quantity(text)
		}
		return number(value, r)
	})
}

// quantity keeps a quantity. One with more digits than an amount of memory has is rounded.
func (r Rules) quantity(v string) string {
	q, err := resource.ParseQuantity(v)
	switch {
	case err != nil:
		return r.hide(v)
	case len(digit.FindAllString(v, -1)) > maxQuantity:
		return resource.NewQuantity(q.Value()>>20<<20, resource.BinarySI).String()
	}
	return v
}

const maxQuantity = 13 // digits: terabytes in bytes

// env keeps environment variables.
func (r Rules) env(_ string, v any) any {
	list, _ := v.([]any)
	out := make([]any, 0, len(list))
	for _, item := range list {
		variable, ok := item.(map[string]any)
		if !ok {
			continue
		}
		name, _ := variable["name"].(string)
		kept := map[string]any{"name": r.text("", "name", name)}
		if value, ok := variable["value"].(string); ok {
			if !Setting(name, value) {
				value = r.hide(value)
			}
			kept["value"] = value
		}
		if from, ok := variable["valueFrom"].(map[string]any); ok {
			kept["valueFrom"] = r.keep(from, envSources, "valueFrom")
		}
		out = append(out, kept)
	}
	return out
}

var envSources = compile([]string{"{secretKeyRef,configMapKeyRef}/name name", "{secretKeyRef,configMapKeyRef}/{key,optional}", "fieldRef/fieldPath"})

// secret keeps the keys of a Secret, and replaces its values.
func (r Rules) secret(_ string, v any) any {
	return r.eachKey(v, func(_ string, value any) any {
		encoded, _ := value.(string)
		plain, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			plain = []byte(encoded)
		}
		return base64.StdEncoding.EncodeToString([]byte(r.hide(string(plain))))
	})
}
