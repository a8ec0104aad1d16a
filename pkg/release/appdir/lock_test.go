package appdir

import (
	"errors"
	"maps"
	"strings"
	"testing"

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
