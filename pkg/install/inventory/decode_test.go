package inventory

import (
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// record returns the ConfigMap of an inventory named a.
func record(objects string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": namePrefix + "a", "labels": map[string]any{nameLabel: "a"}},
		"data":     map[string]any{releaseKey: "26.03", sourceKey: "[]", objectsKey: objects},
	}}
}

func TestOnlyWhatThisProgramWritesIsRead(t *testing.T) {
	const secret = `{"apiVersion":"v1","kind":"Secret","namespace":"n","name":"s"}`
	for _, c := range []struct{ name, objects, want string }{
		{"an object", "[" + secret + "]", ""},
		{"none", "[]", ""},
		{"no JSON", "{[", "invalid character"},
		{"nothing", "", "EOF"},
		{"another type", `{"a":1}`, "cannot unmarshal object"},
		{"a field of another type", `[{"apiVersion":"v1","kind":["Secret"],"name":"s"}]`, "cannot unmarshal array"},
		{"an unknown field", `[{"apiVersion":"v1","kind":"Secret","name":"s","owner":"me"}]`, `unknown field "owner"`},
		{"more after its end", "[] []", "continues after its end"},
		{"no kind", `[{"apiVersion":"v1","name":"s"}]`, "number 1 has an invalid kind"},
		{"a kind that is none", "[" + secret + `,{"apiVersion":"v1","kind":"$(id)","name":"s"}]`, "number 2 has an invalid kind"},
		{"an API version that is none", `[{"apiVersion":"a/b/c","kind":"Secret","name":"s"}]`, "invalid apiVersion"},
		{"a path for a name", `[{"apiVersion":"v1","kind":"Secret","name":"../s"}]`, "invalid name"},
		{"an escape sequence in a name", `[{"apiVersion":"v1","kind":"Secret","name":"s\u001b[2J"}]`, "invalid name"},
		{"a namespace that is none", `[{"apiVersion":"v1","kind":"Secret","namespace":"-n x","name":"s"}]`, "invalid namespace"},
		{"a long hash", `[{"apiVersion":"v1","kind":"Secret","name":"s","applied":"` + strings.Repeat("a", 65) + `"}]`, "invalid hash"},
		{"as many as there may be", "[" + strings.Repeat(`{"apiVersion":"v1","kind":"A","name":"a"},`, maxObjects-1) + `{"apiVersion":"v1","kind":"A","name":"a"}]`, ""},
		{"as much as there may be", "[" + strings.Repeat(" ", maxSize-2) + "]", ""},
		{"a byte too much", "[" + strings.Repeat(" ", maxSize-1) + "]", "1000001 bytes are more than 1000000"},
		{"too many", "[" + strings.Repeat(`{"kind":"A"},`, maxObjects) + "{}]", "20001 are more than 20000"},
		{"too much", "[" + strings.Repeat(" ", maxSize) + "]", "1000002 bytes are more than 1000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := decode(record(c.objects)); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	renamed := record("[]")
	renamed.SetName("another")
	unnamed := record("[]")
	unnamed.SetLabels(nil)
	for want, o := range map[string]*unstructured.Unstructured{"not that of its name": renamed, "does not have the label": unnamed} {
		if _, err := decode(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A record of a megabyte may unpack to a thousand times as much.
func TestFieldsThatUnpackToTooMuchAreRefused(t *testing.T) {
	var packed strings.Builder
	to := base64.NewEncoder(base64.StdEncoding, &packed)
	zipped := gzip.NewWriter(to)
	if _, err := io.CopyN(zipped, spaces{}, 20*maxAllOwned); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(zipped.Close(), to.Close()); err != nil || packed.Len() > maxSize {
		t.Fatalf("%d bytes, %v", packed.Len(), err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := decodeOwned(packed.String(), []Entry{{}})
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes stand for %d; %d MB allocated: %v", packed.Len(), 20*maxAllOwned, allocated>>20, err)
	if err == nil || allocated > 8*maxAllOwned {
		t.Errorf("%d bytes of memory, %v", allocated, err)
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// FuzzDecode demands that what is read is written and read again as it was.
func FuzzDecode(f *testing.F) {
	f.Add(`[{"apiVersion":"apps/v1","kind":"Deployment","namespace":"n","name":"d","component":"c","applied":"a","fields":"none","found":true}]`)
	f.Add(`[{"apiVersion":"v1","kind":"Namespace","name":"n"}]`)
	f.Add("[]")
	f.Add("null")
	f.Fuzz(func(t *testing.T, objects string) {
		v, err := decode(record(objects))
		if err != nil {
			return
		}
		stored, err := v.Encode()
		if err != nil {
			return // indented, it may be too large
		}
		again, err := decode(stored)
		if err != nil || len(again.Objects) != len(v.Objects) {
			t.Fatalf("%q is read, but not what is written of it: %v", objects, err)
		}
		for i, e := range again.Objects {
			if e != v.Objects[i] || cluster.RefOf(stored).Name != namePrefix+"a" {
				t.Errorf("%+v is read again as %+v", v.Objects[i], e)
			}
		}
	})
}
