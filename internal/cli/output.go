package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
)

// ResultVersion is the apiVersion of the documents of install, build, status and uninstall.
const ResultVersion = "kubeflow.install/v1alpha1"

// PrintDocument writes a value as a JSON or YAML document, in which control characters are escaped.
func PrintDocument(w io.Writer, format string, value any) error {
	var out []byte
	var err error
	if format == "yaml" {
		out, err = escape.YAML(value)
	} else if out, err = json.MarshalIndent(value, "", "  "); err == nil {
		out = append(escape.JSON(out), '\n')
	}
	if err != nil {
		return fmt.Errorf("encoding the result: %w", err)
	}
	_, err = w.Write(out)
	return err
}

// PrintLine writes a value as JSON in one line.
func PrintLine(w io.Writer, value any) error {
	out, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding the result: %w", err)
	}
	_, err = w.Write(append(escape.JSON(out), '\n'))
	return err
}
