package appdir

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

const someHash = "h1:Ge2Wz36jVRq5zc+bOIEJy3VBUr8FyUw7xzSqS3M+unI="

func TestALockRoundTrips(t *testing.T) {
	want := Lock{
		Sources: map[string]string{"https://example.org/a b%20c.yaml?ref=v1": someHash, "embedded:mini": someHash},
		Bases:   map[string]string{"istio": someHash, "cert-manager": someHash},
	}
	got, err := ParseLock("kubeflow.lock", want.encode())
	if err != nil || !maps.Equal(got.Sources, want.Sources) || !maps.Equal(got.Bases, want.Bases) {
		t.Fatalf("got %v, %v from:\n%s", got, err, want.encode())
	}
	windows := strings.ReplaceAll(string(want.encode()), "\n", "\r\n")
	if _, err := ParseLock("kubeflow.lock", []byte(windows)); err != nil {
		t.Errorf("with the line ends of Windows: %v", err)
	}
}

func TestALockWithUnexpectedContentIsRejected(t *testing.T) {
	for name, content := range map[string]string{
		"nothing":                    "",
		"another version":            "kubeflow-lock v2\n",
		"a line before the first":    "base istio " + someHash + "\n" + lockHead + "\n",
		"two words":                  lockHead + "\nbase istio\n",
		"an empty line":              lockHead + "\n\n",
		"an unknown word":            lockHead + "\nbases istio " + someHash + "\n",
		"a hash that is none":        lockHead + "\nbase istio h1:x\n",
		"a hash of another kind":     lockHead + "\nbase istio sha256:" + someHash[3:] + "\n",
		"a component twice":          lockHead + "\nbase istio " + someHash + "\nbase istio " + someHash + "\n",
		"a component that leads out": lockHead + "\nbase ../x " + someHash + "\n",
		"a truncated address":        lockHead + "\nsource https://x/% " + someHash + "\n",
		"two spaces":                 lockHead + "\nsource  " + someHash + "\n",
	} {
		_, err := ParseLock("kubeflow.lock", []byte(content))
		var input *problem.Error
		if !errors.As(err, &input) || input.Next == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzLock(f *testing.F) {
	f.Add([]byte(lockNote + lockHead + "\nsource https://example.org/x%20y " + someHash + "\nbase istio " + someHash + "\n"))
	f.Add([]byte(lockHead + "\r\n"))
	f.Add([]byte(lockHead + "\nsource %%% h1:\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		lock, err := ParseLock("kubeflow.lock", content)
		if err != nil {
			return
		}
		again, err := ParseLock("kubeflow.lock", lock.encode())
		if err != nil || !maps.Equal(again.Sources, lock.Sources) || !maps.Equal(again.Bases, lock.Bases) {
			t.Errorf("%q reads as %v, and back as %v, %v", content, lock, again, err)
		}
	})
}

// A lock is read up to its bound, and an error about it is a sentence, however long its lines are.
func TestALockIsBounded(t *testing.T) {
	head := lockHead + "\n#"
	fill := func(size int) []byte { return []byte(head + strings.Repeat("x", size-len(head))) }
	if _, err := ParseLock("kubeflow.lock", fill(bounded.Config)); err != nil {
		t.Errorf("at the bound: %v", err)
	}
	if _, err := ParseLock("kubeflow.lock", fill(bounded.Config+1)); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("a byte over the bound: %v", err)
	}
	for _, line := range []string{strings.Repeat("x", 100_000), "source " + strings.Repeat("x", 100_000) + " h1:", "base " + strings.Repeat("x", 100_000) + " h1:", "source a " + strings.Repeat("x", 100_000), "source %zz" + strings.Repeat("x", 100_000) + " h1:"} {
		if _, err := ParseLock("kubeflow.lock", []byte(lockHead+"\n"+line)); err == nil || len(err.Error()) > 500 {
			t.Errorf("a line of %d bytes: an error of %d bytes", len(line), len(err.Error()))
		}
	}
}

func TestAFileOfManyValuesIsNoKfDef(t *testing.T) {
	head := "apiVersion: kfdef.apps.kubeflow.org/v1\nkind: KfDef\n"
	if !isKfDef([]byte(head)) || isKfDef([]byte(head+"a: ["+strings.Repeat("{},", bounded.Nodes)+"]")) {
		t.Error("a KfDef is not told from a file that takes all memory")
	}
}
