package release

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kustomization"
)

// What was built once from content with known hashes need not be built again. keptFile is where a
// part's objects are cached: the name depends on all inputs. It is empty if these are not known, as for
// a kustomization on the user's disk.
func (r *rendering) keptFile(p part) string {
	if r.cache == "" || p.key == "" {
		return ""
	}
	var inputs []string
	for _, pin := range r.out.Pins {
		inputs = append(inputs, pin.Hash)
	}
	slices.Sort(inputs)
	inputs = append(inputs, kustomization.Version, p.key)
	inputs = append(inputs, p.folders...)
	sum := sha256.Sum256([]byte(strings.Join(inputs, "\n")))
	return filepath.Join(r.cache, hex.EncodeToString(sum[:])+".jsonl.gz")
}

// readKept reads cached objects; any error in the file means building again.
func readKept(file string) ([]*unstructured.Unstructured, bool) {
	if file == "" {
		return nil, false
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, false
	}
	objects, err := unpackObjects(content)
	return objects, err == nil && len(objects) > 0
}

// keepBuilt caches objects; a cache that cannot be written is not an error.
func keepBuilt(file string, objects []*unstructured.Unstructured) {
	if content, err := packObjects(objects); err == nil {
		_ = archive.WriteFile(file, content)
	}
}

// packObjects writes one object per line, and their number at the end, so that a truncated file is detected.
func packObjects(objects []*unstructured.Unstructured) ([]byte, error) {
	var out bytes.Buffer
	packed, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	encoder := json.NewEncoder(packed)
	for _, object := range objects {
		if err := encoder.Encode(object.Object); err != nil {
			return nil, err
		}
	}
	if err := encoder.Encode(len(objects)); err != nil {
		return nil, err
	}
	if err := packed.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unpackObjects(content []byte) ([]*unstructured.Unstructured, error) {
	packed, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	reader := bufio.NewReaderSize(packed, 1<<20)
	var objects []*unstructured.Unstructured
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("the file is truncated")
		}
		if err != nil {
			return nil, err
		}
		if line[0] != '{' {
			if strings.TrimSpace(string(line)) != fmt.Sprint(len(objects)) {
				return nil, fmt.Errorf("the file is truncated")
			}
			return objects, nil
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(line); err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
}
