package mutants

import (
	"encoding/base64"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// NoSuchImage is in the images of mutants that cannot be pulled.
const NoSuchImage = "no-such-tag"

// Running returns n mutants of objects on a cluster, the same for a seed: what people do to a Kubeflow that runs. Deleting them loses no data
// of users, and the objects can be created again.
func Running(seed uint64, n int, objects []*unstructured.Unstructured) []Mutant {
	random := rand.New(rand.NewPCG(seed, 3))
	f := &finder{typo: func(s string) string { return typo(random, s) }}
	var all []Mutant
	for _, o := range Unique(objects) {
		all = append(all, deleted(o)...)
		all = append(all, f.misconfigured(o)...)
		all = append(all, f.misrouted(o)...)
	}
	return sample(random, n, all, func(m Mutant) string { return m.Kind + m.Before.GetKind() })
}

// keeping are the kinds whose deletion deletes what users own.
var keeping = []string{"Namespace", "CustomResourceDefinition", "PersistentVolumeClaim", "PersistentVolume", "StorageClass", "Profile"}

func deleted(o *unstructured.Unstructured) []Mutant {
	if slices.Contains(keeping, o.GetKind()) {
		return nil
	}
	return []Mutant{{Kind: "deleted object", Before: o, Path: "metadata.name", Was: o.GetName()}}
}

// misconfigured are workloads that cannot run as they should, and configuration without a key.
func (f *finder) misconfigured(o *unstructured.Unstructured) []Mutant {
	var all []Mutant
	set := func(kind string, was, now string, value any, keys ...any) {
		all = append(all, Mutant{Kind: kind, Before: o, change: setting(o, value, keys), Path: path(keys), Was: was, Now: now})
	}
	switch kind := o.GetKind(); kind {
	case "Deployment", "StatefulSet", "DaemonSet":
		if replicas, _, _ := unstructured.NestedInt64(o.Object, "spec", "replicas"); replicas > 0 {
			set("scaled to zero", "", "", int64(0), "spec", "replicas")
		}
		template := []any{"spec", "template", "spec"}
		if account, _, _ := unstructured.NestedString(o.Object, "spec", "template", "spec", "serviceAccountName"); account != "" {
			wrong := f.typo(account)
			m := Mutant{Kind: "broken name", Before: o, Path: "spec.template.spec.serviceAccountName", Was: account, Now: wrong}
			m.change = func() *unstructured.Unstructured { // the deprecated field has the same value
				return with(with(o, wrong, append(slices.Clone(template), "serviceAccountName")), wrong, append(slices.Clone(template), "serviceAccount"))
			}
			all = append(all, m)
		}
		containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
		if len(containers) == 0 {
			return all
		}
		first, _ := containers[0].(map[string]any)
		if image, _ := first["image"].(string); image != "" {
			name, _, _ := strings.Cut(image, "@")
			if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
				name = name[:i]
			}
			set("broken image", image, name+":"+NoSuchImage, name+":"+NoSuchImage, append(slices.Clone(template), "containers", 0, "image")...)
		}
		set("impossible request", "", "cpu", map[string]any{"requests": map[string]any{"cpu": "900"}}, append(slices.Clone(template), "containers", 0, "resources")...)
		set("impossible node", "", "no-such-pool", map[string]any{"agentpool": "no-such-pool"}, append(slices.Clone(template), "nodeSelector")...)
	case "ConfigMap", "Secret":
		data, _, _ := unstructured.NestedMap(o.Object, "data")
		for _, key := range slices.Sorted(maps.Keys(data)) {
			all = append(all, Mutant{Kind: "renamed key", Before: o, Path: "data." + key, Was: key, Now: key + "x", change: func() *unstructured.Unstructured {
				return with(with(o, nil, []any{"data", key}), data[key], []any{"data", key + "x"})
			}})
		}
	}
	return all
}

// misrouted are Services, webhooks and bindings that lead elsewhere.
func (f *finder) misrouted(o *unstructured.Unstructured) []Mutant {
	var all []Mutant
	set := func(kind string, was, now string, value any, keys ...any) {
		all = append(all, Mutant{Kind: kind, Before: o, change: setting(o, value, keys), Path: path(keys), Was: was, Now: now})
	}
	switch kind := o.GetKind(); {
	case kind == "Service":
		selector, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector")
		for _, key := range slices.Sorted(maps.Keys(selector)) {
			set("broken selector", selector[key], selector[key]+"x", selector[key]+"x", "spec", "selector", key)
		}
		ports, _, _ := unstructured.NestedSlice(o.Object, "spec", "ports")
		for i, p := range ports {
			port, _ := p.(map[string]any)
			switch target := port["targetPort"].(type) {
			case string:
				set("changed port", target, target+"x", target+"x", "spec", "ports", i, "targetPort")
			case int64:
				set("changed port", "", "", target+7, "spec", "ports", i, "targetPort")
			}
		}
	case strings.HasSuffix(kind, "WebhookConfiguration"):
		hooks, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
		for i, h := range hooks {
			hook, _ := h.(map[string]any)
			if name, found, _ := unstructured.NestedString(hook, "clientConfig", "service", "name"); found {
				set("broken name", name, name+"x", name+"x", "webhooks", i, "clientConfig", "service", "name")
			}
			if bundle, found, _ := unstructured.NestedString(hook, "clientConfig", "caBundle"); found && bundle != "" {
				set("broken CA bundle", "", "", otherCA, "webhooks", i, "clientConfig", "caBundle")
			}
		}
	case strings.HasSuffix(kind, "RoleBinding"):
		if name, found, _ := unstructured.NestedString(o.Object, "roleRef", "name"); found && name != "" {
			subjects, _, _ := unstructured.NestedSlice(o.Object, "subjects")
			for i, s := range subjects {
				if subject, _ := s.(map[string]any); subject["kind"] == "ServiceAccount" {
					was, _ := subject["name"].(string)
					now := f.typo(was)
					set("broken name", was, now, now, "subjects", i, "name")
				}
			}
		}
	case kind == "Namespace":
		if value := o.GetLabels()["istio-injection"]; value == "enabled" {
			set("changed label", value, "disabled", "disabled", "metadata", "labels", "istio-injection")
		}
	}
	return all
}

// otherCA is a certificate of a CA that signed nothing on any cluster, as webhook configurations have it.
var otherCA = base64.StdEncoding.EncodeToString([]byte(otherCAText))

const otherCAText = `-----BEGIN CERTIFICATE-----
MIIBgjCCASegAwIBAgIUeKNyfv7HCzkBcXO3QOqGdqV7iCEwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKYW5vdGhlciBDQTAgFw0yNjExMjkxMzE2NTlaGA8yMTI2MTEw
NTEzMTY1OVowFTETMBEGA1UEAwwKYW5vdGhlciBDQTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABPScXfOUKb5pZ80VWnPQ8B95ySp2rmPr9IxrB0XoeWtJTAfIDDrL
1iOh1Np1NgTfzaeTOVfd6EdsUa5K6c1CzlCjUzBRMB0GA1UdDgQWBBS1LJCVvwm/
W8RZXmvNFL+liJlLnDAfBgNVHSMEGDAWgBS1LJCVvwm/W8RZXmvNFL+liJlLnDAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQCIHU1O0iUv8RPMFrio
M7iZR4RUolwskuLYIaQxZ5BkggIhALlVzH+RdYszpfjpO7ZU9pTWuPx/8f3jBPAd
aqHovgQj
-----END CERTIFICATE-----
`

// Named reports whether one of the texts names the object, and the field, or its value before or after; of an object that is gone, the object.
func (m Mutant) Named(findings []string) bool {
	broken := []string{m.Was, m.Now, lastKey(m.Path)}
	return slices.ContainsFunc(findings, func(text string) bool {
		return mentionsAny(text, []string{m.Before.GetName()}) && mentionsAny(text, broken)
	})
}
