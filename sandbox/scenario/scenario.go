package scenario

import (
	"bufio"
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	strictyaml "sigs.k8s.io/yaml"
)

//go:embed scenarios/*.yaml
var files embed.FS

// A Scenario is a state to start from.
type Scenario struct {
	Kind    string `json:"kind"`
	Summary string `json:"summary"`        // one line, for users
	From    string `json:"from,omitempty"` // another scenario to start from

	Runtime             string   `json:"runtime,omitempty"` // what nodes report
	NetworkPolicy       bool     `json:"networkPolicy,omitempty"`
	PullFailures        []string `json:"pullFailures,omitempty"`
	Hanging             []string `json:"hanging,omitempty"`
	LoadBalancerFailure string   `json:"loadBalancerFailure,omitempty"`

	Objects []*unstructured.Unstructured `json:"-"`
}

// Names lists the scenarios in alphabetical order.
func Names() []string {
	entries, _ := fs.ReadDir(files, "scenarios") // embedded
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
	}
	return names
}

// Load reads a scenario with those that it starts from.
func Load(name string) (Scenario, error) {
	content, err := files.ReadFile("scenarios/" + name + ".yaml")
	if errors.Is(err, fs.ErrNotExist) {
		return Scenario{}, fmt.Errorf("there is no scenario %q: choose one of %s", name, strings.Join(Names(), ", "))
	}
	if err != nil {
		return Scenario{}, err
	}
	s, err := parse(content)
	if err != nil {
		return Scenario{}, fmt.Errorf("reading scenario %s: %w", name, err)
	}
	if s.From == "" {
		return s, nil
	}
	base, err := Load(s.From)
	if err != nil {
		return Scenario{}, err
	}
	return s.on(base), nil
}

// on merges a scenario over another.
func (s Scenario) on(base Scenario) Scenario {
	if s.Runtime == "" {
		s.Runtime = base.Runtime
	}
	if s.LoadBalancerFailure == "" {
		s.LoadBalancerFailure = base.LoadBalancerFailure
	}
	s.NetworkPolicy = s.NetworkPolicy || base.NetworkPolicy
	s.PullFailures = append(base.PullFailures, s.PullFailures...)
	s.Hanging = append(base.Hanging, s.Hanging...)
	s.Objects = append(base.Objects, s.Objects...)
	return s
}

func parse(content []byte) (Scenario, error) {
	var s Scenario
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for first := true; ; first = false {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		if first {
			if err := strictyaml.UnmarshalStrict(document, &s); err != nil {
				return s, err
			}
			continue
		}
		object := map[string]any{}
		if err := strictyaml.UnmarshalStrict(document, &object); err != nil {
			return s, err
		}
		if len(object) > 0 {
			s.Objects = append(s.Objects, &unstructured.Unstructured{Object: object})
		}
	}
}
