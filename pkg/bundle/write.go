package bundle

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/version"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Most limits the bytes of objects in a bundle before compression; beyond it whole kinds are left out, the largest first.
const Most = 32 << 20

// A Head describes a bundle.
type Head struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Taken      time.Time      `json:"taken"` // by the cluster's clock
	By         string         `json:"by,omitempty"`
	Context    string         `json:"context,omitempty"`
	Server     string         `json:"server,omitempty"`
	Release    string         `json:"release,omitempty"` // the release in the inventory; "" if there is none
	Kubernetes *version.Info  `json:"kubernetes,omitempty"`
	Objects    int            `json:"objects"`
	Logs       int            `json:"logs"`
	Redacted   map[string]int `json:"redacted,omitempty"` // number of different values of each sort that were redacted
	LeftOut    []string       `json:"leftOut"`            // kinds, as GROUP/KIND, that would have made the bundle too large
}

// Options say how a bundle is written.
type Options struct {
	Emails  bool              // keep e-mail addresses
	Shipped func(string) bool // reports the values that every installation ships with, which are public
	Most    int               // bytes of objects; 0 is [Most]
	Keep    redact.Table      // the fields that are kept
	// Report returns the findings, in a readable form, from what is in the bundle; nil for none.
	Report func(cluster.View) any
}

// The files of a bundle.
const (
	headFile    = "bundle.yaml"
	reportFile  = "report.yaml"
	answersFile = "questions.yaml"
	objectsDir  = "objects/"
	logsDir     = "logs/"
)

const readme = `What kubectl kubeflow doctor read from a cluster, and what it found.

bundle.yaml      the cluster, the time, and what was left out
report.yaml      the findings
questions.yaml   the requests, and which of them failed
objects/         the objects, one file per kind and namespace
logs/            the last log lines of unhealthy containers

Only the fields that doctor reads are here, and of their values only those that are known to be harmless: known
words, numbers, names of objects, images and hosts. All others are replaced by redacted-N. Equal values have the same
replacement, so that they can be compared. Default values that every Kubeflow ships with are kept.

To see the report: kubectl kubeflow doctor --from FILE
`

// Write saves what was recorded as a tar archive, compressed with gzip. It fills in the recorded fields of the head.
func (r *Recorder) Write(w io.Writer, head Head, o Options) (*Head, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	clean := newRedactor(o, r.objects)
	kept := &Bundle{logs: map[cluster.Ref]map[cluster.LogScope]string{}}
	for _, object := range sortedObjects(r.objects) {
		kept.objects = append(kept.objects, clean.object(object))
	}
	for _, a := range r.sortedAnswers() {
		kept.answers = append(kept.answers, clean.answer(a))
	}
	objects, err := objectFiles(kept.objects)
	if err != nil {
		return nil, err
	}
	files, leftOut := fitting(objects, cmp.Or(o.Most, Most))
	head.LeftOut = leftOut
	for _, q := range slices.SortedFunc(maps.Keys(r.logs), func(a, b question) int { return strings.Compare(logFile(a), logFile(b)) }) {
		log := file{logFile(q), []byte(clean.text(redact.Uncoloured(r.logs[q])))}
		files = append(files, log)
		if err := kept.takeLog(strings.TrimPrefix(log.name, logsDir), string(log.content)); err != nil {
			return nil, fmt.Errorf("writing down %s: %w", log.name, err)
		}
	}
	if !redact.Identifier(head.Context) {
		head.Context = clean.text(head.Context)
	}
	head.Server = redact.URL(head.Server)
	head.Kubernetes, head.Taken = r.version, r.now
	kept.Head = head
	documents := []document{{answersFile, kept.answers}}
	if o.Report != nil {
		documents = append(documents, document{reportFile, o.Report(kept.View())})
	}
	for _, d := range documents {
		content, err := yaml.Marshal(d.value)
		if err != nil {
			return nil, fmt.Errorf("writing down %s: %w", d.name, err)
		}
		files = append(files, file{d.name, content})
	}
	head.APIVersion, head.Kind = "kubeflow.bundle/v1alpha1", "Bundle"
	head.Objects, head.Logs, head.Redacted = len(r.objects), len(r.logs), clean.count
	content, err := yaml.Marshal(head)
	if err != nil {
		return nil, err
	}
	files = append([]file{{"README.txt", []byte(readme)}, {headFile, content}}, files...)
	return &head, writeTar(w, "kubectl-kubeflow-bundle/", head.Taken, files)
}

type document struct {
	name  string
	value any
}

type file struct {
	name    string
	content []byte
}

// sortedAnswers returns the answers in the order of the questions.
func (r *Recorder) sortedAnswers() []answer {
	return slices.SortedFunc(maps.Values(r.answers), func(a, b answer) int {
		return strings.Compare(fmt.Sprintf("%+v", a.question), fmt.Sprintf("%+v", b.question))
	})
}

// objectFiles returns the objects as files, one for each kind and namespace.
func objectFiles(objects []*unstructured.Unstructured) ([]file, error) {
	var files []file
	at := map[string]int{}
	for _, o := range objects {
		kind := o.GroupVersionKind().GroupKind()
		name := objectsDir + folderOf(kind.Group) + "/" + kind.Kind + "/"
		if name += o.GetNamespace(); o.GetNamespace() == "" {
			name += "cluster"
		}
		content, err := yaml.Marshal(o.Object)
		if err != nil {
			return nil, fmt.Errorf("writing down %s: %w", cluster.RefOf(o), err)
		}
		i, known := at[name]
		if !known {
			i = len(files)
			at[name] = i
			files = append(files, file{name: name + ".yaml"})
		} else {
			files[i].content = append(files[i].content, "---\n"...)
		}
		files[i].content = append(files[i].content, content...)
	}
	return files, nil
}

func folderOf(group string) string {
	if group == "" {
		return "core"
	}
	return group
}

// fitting leaves out whole kinds, the largest first, until the rest is small enough.
func fitting(files []file, most int) (kept []file, leftOut []string) {
	leftOut = []string{}
	size, all := map[string]int{}, 0
	for _, f := range files {
		size[kindOf(f)] += len(f.content)
		all += len(f.content)
	}
	for all > most {
		largest := ""
		for kind, n := range size {
			if n > size[largest] || n == size[largest] && kind < largest {
				largest = kind
			}
		}
		all -= size[largest]
		delete(size, largest)
		leftOut = append(leftOut, largest)
	}
	return slices.DeleteFunc(files, func(f file) bool { return slices.Contains(leftOut, kindOf(f)) }), leftOut
}

// kindOf returns GROUP/KIND of a file of objects.
func kindOf(f file) string {
	parts := strings.Split(strings.TrimPrefix(f.name, objectsDir), "/")
	return parts[0] + "/" + parts[1]
}

func logFile(q question) string {
	name := logsDir + q.Namespace + "/" + q.Name + "/" + q.Container
	if q.Previous {
		name += ".previous"
	}
	return fmt.Sprintf("%s.%d.log", name, q.Lines)
}

func writeTar(w io.Writer, folder string, at time.Time, files []file) error {
	zipped := gzip.NewWriter(w)
	t := tar.NewWriter(zipped)
	for _, f := range files {
		err := t.WriteHeader(&tar.Header{Name: folder + f.name, Mode: 0o644, Size: int64(len(f.content)), ModTime: at, Format: tar.FormatPAX})
		if err == nil {
			_, err = io.Copy(t, bytes.NewReader(f.content))
		}
		if err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return zipped.Close()
}
