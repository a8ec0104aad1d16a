package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// ErrNotOne is returned for a file that is not a bundle.
var ErrNotOne = errors.New("this is no bundle of kubectl kubeflow")

// A Bundle is the saved state of a cluster.
type Bundle struct {
	Head
	answers []answer
	objects []*unstructured.Unstructured
	logs    map[cluster.Ref]map[cluster.LogScope]string
}

// A bundle that is opened is not trusted. One that this program wrote stays far below these limits: see [Most].
const (
	mostRead    = 2 * Most  // bytes, unpacked
	mostEntries = 20_000    // files
	mostValues  = 2_000_000 // in its YAML: each takes some hundred bytes of memory
	mostName    = 253       // letters of an object's name, as in Kubernetes
)

// Open reads a bundle.
func Open(from io.Reader) (*Bundle, error) {
	zipped, err := gzip.NewReader(from)
	if err != nil {
		return nil, ErrNotOne
	}
	b := &Bundle{logs: map[cluster.Ref]map[cluster.LogScope]string{}}
	unpacked := &io.LimitedReader{R: zipped, N: mostRead}
	archive := tar.NewReader(unpacked)
	for entries, values := 0, 0; ; entries++ {
		if entries > mostEntries {
			return nil, fmt.Errorf("it holds more than %d files", mostEntries)
		}
		header, err := archive.Next()
		if err != nil && unpacked.N <= 0 {
			return nil, fmt.Errorf("it unpacks to more than %d MiB", mostRead>>20)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotOne, err)
		}
		content, err := bounded.Start(archive, mostRead)
		if err != nil && unpacked.N <= 0 {
			return nil, fmt.Errorf("it unpacks to more than %d MiB", mostRead>>20)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", header.Name, err)
		}
		_, name, _ := strings.Cut(header.Name, "/")
		if !strings.HasPrefix(name, logsDir) {
			if values += bounded.Values(content); values > mostValues {
				return nil, fmt.Errorf("it holds more than %d values", mostValues)
			}
		}
		if err := b.take(name, content); err != nil {
			return nil, fmt.Errorf("reading %s: %w", header.Name, err)
		}
	}
	if b.Kind != "Bundle" || !strings.HasPrefix(b.APIVersion, "kubeflow.bundle/") {
		return nil, ErrNotOne
	}
	return b, nil
}

func (b *Bundle) take(name string, content []byte) error {
	if name == headFile || name == answersFile {
		if err := bounded.YAML(content); err != nil {
			return err
		}
	}
	switch {
	case name == headFile:
		return yaml.Unmarshal(content, &b.Head)
	case name == answersFile:
		return yaml.Unmarshal(content, &b.answers)
	case strings.HasPrefix(name, objectsDir):
		return b.takeObjects(content)
	case strings.HasPrefix(name, logsDir):
		return b.takeLog(strings.TrimPrefix(name, logsDir), string(content))
	}
	return nil
}

func (b *Bundle) takeObjects(documents []byte) error {
	for document := range bytes.SplitSeq(documents, []byte("\n---\n")) {
		if err := bounded.YAML(document); err != nil {
			return err
		}
		content, err := yaml.YAMLToJSON(document)
		if err != nil {
			return err
		}
		o := &unstructured.Unstructured{}
		if err := o.UnmarshalJSON(content); err != nil {
			return err
		}
		if max(len(o.GetName()), len(o.GetNamespace()), len(o.GetKind()), len(o.GetAPIVersion())) > mostName {
			return fmt.Errorf("the name of an object is longer than %d letters", mostName)
		}
		b.objects = append(b.objects, o)
	}
	return nil
}

// takeLog reads NAMESPACE/POD/CONTAINER[.previous].LINES.log.
func (b *Bundle) takeLog(name, log string) error {
	parts := strings.Split(strings.TrimSuffix(name, ".log"), "/")
	if len(parts) != 3 {
		return errors.New("its name is not NAMESPACE/POD/CONTAINER.LINES.log")
	}
	dot := strings.LastIndex(parts[2], ".")
	lines, err := strconv.ParseInt(parts[2][dot+1:], 10, 64)
	if err != nil || dot < 0 {
		return errors.New("its name is not NAMESPACE/POD/CONTAINER.LINES.log")
	}
	container, previous := strings.CutSuffix(parts[2][:dot], ".previous")
	pod := cluster.Ref{APIVersion: "v1", Kind: "Pod", Namespace: parts[0], Name: parts[1]}.Identity()
	if b.logs[pod] == nil {
		b.logs[pod] = map[cluster.LogScope]string{}
	}
	b.logs[pod][cluster.LogScope{Container: container, Previous: previous, Lines: lines}] = log
	return nil
}
