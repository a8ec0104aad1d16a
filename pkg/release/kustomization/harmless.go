package kustomization

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
)

// restricted matches kustomize's message about a file outside the folder.
var restricted = regexp.MustCompile(`security; file '([^']+)' is not in or below '([^']+)'`)

// errAddress is the error for an address in a place where kustomize itself would fetch it.
var errAddress = errors.New("kustomize would download it without verifying it; list it under resources, or put a copy beside it")

// harmless checks a file before kustomize reads it: it takes a bounded amount of memory, and configures none of kustomize's own
// transformers with an address. References of kustomizations are rewritten, those within such a configuration are not.
func (t *Tree) harmless(name string, content []byte) error {
	if err := bounded.YAML(content); err != nil {
		return &ReferenceError{Reference: t.name(name), File: "a kustomization", Err: err}
	}
	if address := configuredAddress(content, 3); address != "" {
		return &ReferenceError{Reference: address, File: t.name(name), Err: errAddress}
	}
	return nil
}

// configuredAddress finds an address in the configuration of a builtin transformer or generator, also in the strings of YAML.
func configuredAddress(content []byte, depth int) string {
	if depth == 0 || !bytes.Contains(content, []byte("builtin")) || !bytes.Contains(content, []byte("://")) {
		return ""
	}
	for _, document := range separator.Split(string(content), -1) {
		var value any
		if yaml.Unmarshal([]byte(document), &value) == nil {
			if found := addressIn(value, "", false, depth); found != "" {
				return found
			}
		}
	}
	return ""
}

var separator = regexp.MustCompile(`(?m)^---`)

func addressIn(value any, field string, builtin bool, depth int) (found string) {
	switch value := value.(type) {
	case map[string]any:
		builtin = builtin || value["apiVersion"] == "builtin"
		for name, part := range value {
			if found = addressIn(part, name, builtin, depth); found != "" {
				return found
			}
		}
	case []any:
		for _, item := range value {
			if found = addressIn(item, field, builtin, depth); found != "" {
				return found
			}
		}
	case string:
		if strings.Contains(value, "\n") {
			return configuredAddress([]byte(value), depth-1)
		}
		for _, source := range []string{value, value[strings.Index(value, "=")+1:]} { // key=path
			if builtin && slices.Contains(loaded, field) && isAddress(source) {
				return source
			}
		}
	}
	return ""
}

// loaded are the fields of builtin configurations whose values kustomize loads.
var loaded = []string{"path", "paths", "files", "envs", "env"}

func isAddress(text string) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	return strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://")
}
