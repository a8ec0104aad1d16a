package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// ResultVersion is the apiVersion of the documents of install, build, status and uninstall.
const ResultVersion = "kubeflow.install/v1alpha1"

// PrintDocument writes a value as a JSON or YAML document.
func PrintDocument(w io.Writer, format string, value any) error {
	var out []byte
	var err error
	if format == "yaml" {
		out, err = yaml.Marshal(value)
	} else if out, err = json.MarshalIndent(value, "", "  "); err == nil {
		out = append(out, '\n')
	}
	if err != nil {
		return fmt.Errorf("encoding the result: %w", err)
	}
	_, err = w.Write(out)
	return err
}
