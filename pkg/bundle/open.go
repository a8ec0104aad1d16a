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

// mostRead limits the unpacked size of a bundle, because the file is not trusted.
const mostRead = 4 * Most

// Open reads a bundle.
func Open(from io.Reader) (*Bundle, error) {
	zipped, err := gzip.NewReader(from)
	if err != nil {
		return nil, ErrNotOne
	}
	b := &Bundle{logs: map[cluster.Ref]map[cluster.LogScope]string{}}
	archive := tar.NewReader(io.LimitReader(zipped, mostRead))
	for {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotOne, err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", header.Name, err)
		}
		_, name, _ := strings.Cut(header.Name, "/")
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
		content, err := yaml.YAMLToJSON(document)
		if err != nil {
			return err
		}
		o := &unstructured.Unstructured{}
		if err := o.UnmarshalJSON(content); err != nil {
			return err
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
