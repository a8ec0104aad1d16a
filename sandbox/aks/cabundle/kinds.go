package cabundle

import (
	"encoding/base64"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// The kinds that carry a caBundle, in versions that 1.21 and 1.35 both serve.
var kinds = map[string]schema.GroupVersionResource{
	"mutating":   {Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"},
	"validating": {Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingwebhookconfigurations"},
	"crd":        {Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
	"apiservice": {Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"},
}

// A client is a clientConfig with a service reference, where a caBundle belongs.
type client struct {
	config map[string]any
}

// clients returns the places for caBundles in an object of one of the kinds.
func clients(kind string, object map[string]any) []client {
	switch kind {
	case "crd":
		config, ok, _ := unstructured.NestedFieldNoCopy(object, "spec", "conversion", "webhook", "clientConfig")
		if m, isMap := config.(map[string]any); ok && isMap {
			return []client{{m}}
		}
		return nil
	case "apiservice":
		if m, ok := object["spec"].(map[string]any); ok && m["insecureSkipTLSVerify"] != true {
			return []client{{m}}
		}
		return nil
	}
	webhooks, _ := object["webhooks"].([]any)
	var all []client
	for _, item := range webhooks {
		webhook, _ := item.(map[string]any)
		if config, ok := webhook["clientConfig"].(map[string]any); ok {
			all = append(all, client{config})
		}
	}
	return all
}

func (c client) service() (types.NamespacedName, bool) {
	service, ok := c.config["service"].(map[string]any)
	if !ok {
		return types.NamespacedName{}, false
	}
	name, _ := service["name"].(string)
	namespace, _ := service["namespace"].(string)
	return types.NamespacedName{Namespace: namespace, Name: name}, true
}

// fill sets the caBundle of each client whose Service is ready, and counts them.
func fill(all []client, bundle []byte, ready func(types.NamespacedName) bool) int {
	want := base64.StdEncoding.EncodeToString(bundle)
	filled := 0
	for _, c := range all {
		service, ok := c.service()
		if !ok || c.config["caBundle"] == want || !ready(service) {
			continue
		}
		c.config["caBundle"] = want
		filled++
	}
	return filled
}
