package pipelines

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/yamledit"
)

const (
	executorKey = "containerRuntimeExecutor"
)

// An executorConfig is the part of workflow-controller-configmap that chooses how steps are run, as Argo reads it.
type executorConfig struct {
	singleKey bool   // all settings are in data.config; otherwise every key of data is a setting
	value     string // containerRuntimeExecutor; "" if absent
	set       bool   // the key is there
	list      []listedExecutor
	hasList   bool     // containerRuntimeExecutors is there
	extra     []string // keys beside data.config: ignored by Argo 2.3, rejected from 2.7 on
}

// A listedExecutor is an item of containerRuntimeExecutors: an executor for workflows with certain labels.
type listedExecutor struct{ name string }

// readExecutor reads the configuration in any of its three shapes: one string, fragments, or no executor at all.
func readExecutor(configMap *unstructured.Unstructured) (executorConfig, error) {
	data, _, _ := unstructured.NestedStringMap(configMap.Object, "data")
	var c executorConfig
	fields := map[string]any{}
	config, whole := data["config"]
	if whole {
		c.singleKey = true
		c.extra = slices.Sorted(maps.Keys(data))
		c.extra = slices.DeleteFunc(c.extra, func(key string) bool { return key == "config" })
		if err := yamledit.Parse(config, &fields); err != nil {
			return c, fmt.Errorf("reading data.config: %w", err)
		}
	} else {
		for _, key := range []string{executorKey, yamledit.ExecutorsKey} {
			if fragment, ok := data[key]; ok {
				var value any
				if err := yamledit.Parse(fragment, &value); err != nil {
					return c, fmt.Errorf("reading data.%s: %w", key, err)
				}
				fields[key] = value
			}
		}
	}
	value, set := fields[executorKey]
	c.set = set
	c.value, _ = value.(string)
	list, lists := fields[yamledit.ExecutorsKey]
	c.hasList = lists
	items, _ := list.([]any)
	for _, item := range items {
		m, _ := item.(map[string]any)
		name, _ := m["name"].(string)
		c.list = append(c.list, listedExecutor{name})
	}
	return c, nil
}

// effective returns the executor that runs steps, for a version of Argo up to 3.3.
func (c executorConfig) effective(argo *semver.Version) string {
	value := c.value
	if value == "" && argo.LessThan(semver.MustParse("3.3.0")) {
		return "docker"
	}
	if value == "" {
		return "emissary"
	}
	return value
}

// usesDocker reports whether docker is the executor for some workflows.
func (c executorConfig) usesDocker() bool {
	return slices.ContainsFunc(c.list, func(l listedExecutor) bool { return l.name == "docker" })
}

// field returns the field that sets the executor.
func (c executorConfig) field() string {
	if c.singleKey {
		return "data.config"
	}
	return "data." + executorKey
}

// setExecutor replaces docker with another executor, in the ConfigMap's own format, and changes nothing else.
func setExecutor(configMap *unstructured.Unstructured, c executorConfig, main bool, value string) error {
	data, _, _ := unstructured.NestedStringMap(configMap.Object, "data")
	if data == nil {
		data = map[string]string{}
	}
	list := yamledit.ExecutorsKey
	var err error
	switch {
	case main && c.singleKey:
		data["config"], err = yamledit.SetValue(data["config"], executorKey, value)
	case main:
		data[executorKey] = value
	}
	if c.singleKey {
		list = "config"
	}
	if err == nil && c.usesDocker() {
		data[list], err = yamledit.SetNames(data[list], value)
	}
	if err != nil {
		return err
	}
	return unstructured.SetNestedStringMap(configMap.Object, data, "data")
}

// removeExecutor removes both keys from the ConfigMap.
func removeExecutor(configMap *unstructured.Unstructured, c executorConfig) error {
	data, _, _ := unstructured.NestedStringMap(configMap.Object, "data")
	for _, key := range []string{executorKey, yamledit.ExecutorsKey} {
		if !c.singleKey {
			delete(data, key)
			continue
		}
		config, err := yamledit.RemoveKey(data["config"], key)
		if err != nil {
			return err
		}
		data["config"] = config
	}
	if strings.TrimSpace(data["config"]) == "" {
		delete(data, "config")
	}
	if len(data) == 0 {
		unstructured.RemoveNestedField(configMap.Object, "data")
		return nil
	}
	return unstructured.SetNestedStringMap(configMap.Object, data, "data")
}
