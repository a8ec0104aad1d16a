package build

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	for typed, want := range map[string]string{"": "1.35", "1.35": "1.35", "v1.21": "1.21", "1.21.14": "1.21", "v1.35.0": "1.35", "1.37": "1.37"} {
		if got, err := Resolve(typed); got != want || err != nil {
			t.Errorf("%q is %q, %v; want %q", typed, got, err, want)
		}
	}
	t.Run("refuses what it cannot build, naming what it can", func(t *testing.T) {
		for _, typed := range []string{"1.30", "latest", "1"} {
			if _, err := Resolve(typed); err == nil || !strings.Contains(err.Error(), "choose one of 1.37, 1.35, 1.21") {
				t.Errorf("%q: %v", typed, err)
			}
		}
	})
}

func TestComponents(t *testing.T) {
	all := []component{etcd, kwok, oauth2Proxy, kubernetesVersions[Newest], kubernetesVersions[Default], kubernetesVersions[Oldest]}
	for _, c := range all {
		t.Run(c.module+" pins the version that it names", func(t *testing.T) {
			mod, sum, err := c.files()
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(mod), " "+c.version+"\n") || len(sum) == 0 {
				t.Errorf("%s.mod does not require %s", c.module, c.version)
			}
			if c.openAPI && len(strings.Fields(openAPIPackages(c))) == 0 {
				t.Error("it generates OpenAPI definitions of no package")
			}
		})
	}
	t.Run("another way to build is another folder", func(t *testing.T) {
		before, err := etcd.folder()
		if err != nil {
			t.Fatal(err)
		}
		changed := etcd
		changed.main += "// changed\n"
		if after, _ := changed.folder(); after == before {
			t.Errorf("both are %s", after)
		}
	})
	t.Run("the programs report the version they are", func(t *testing.T) {
		flags := kubernetesVersions[Oldest].ldflags()
		for _, want := range []string{"k8s.io/component-base/version.gitVersion=v1.21.14", "k8s.io/client-go/pkg/version.gitMinor=21"} {
			if !strings.Contains(flags, want) {
				t.Errorf("%q lacks %q", flags, want)
			}
		}
	})
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(t.Context(), dir, func() {})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("a second builder says that it waits, and stops when it is told to", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		waited := false
		if _, err := lock(ctx, dir, func() { waited = true; cancel() }); !errors.Is(err, context.Canceled) || !waited {
			t.Errorf("got %v, told %t", err, waited)
		}
	})
	t.Run("it goes on when the first has finished", func(t *testing.T) {
		again, err := lock(t.Context(), dir, func() { unlock() })
		if err != nil {
			t.Fatal(err)
		}
		again()
	})
	t.Run("what a killed build left is removed, read-only folders too", func(t *testing.T) {
		left := filepath.Join(dir, ".building-1", "sub")
		if err := os.MkdirAll(left, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(left, 0o500); err != nil {
			t.Fatal(err)
		}
		sweep(dir)
		if exists(filepath.Dir(left)) {
			t.Error("it is still there")
		}
	})
}
