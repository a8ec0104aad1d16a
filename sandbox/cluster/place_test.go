package cluster

import (
	"errors"
	"os"
	"testing"
)

func TestPlace(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // where there is no XDG_CACHE_HOME

	place, err := occupy("one")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("a name is taken only once", func(t *testing.T) {
		if _, err := occupy("one"); !errors.Is(err, ErrRunning) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("another name is another place", func(t *testing.T) {
		other, err := occupy("two")
		if err != nil {
			t.Fatal(err)
		}
		if all, err := List(); err != nil || len(all) != 2 || !all[0].Running || !all[1].Running {
			t.Errorf("the list is %v, %v", all, err)
		}
		if err := other.release(); err != nil {
			t.Error(err)
		}
	})
	t.Run("a name that would leave the folder is refused", func(t *testing.T) {
		for _, name := range []string{"", "..", "a/b", "-a", "A"} {
			if _, err := occupy(name); err == nil {
				t.Errorf("%q was taken as a name", name)
			}
		}
	})
	t.Run("what a killed process left is swept by the next", func(t *testing.T) {
		place.lock.Close() // as the kernel does
		if left, err := Find("one"); err != nil || left.Running {
			t.Errorf("the place is %v, %v", left, err)
		}
		again, err := occupy("one")
		if err != nil {
			t.Fatal(err)
		}
		if err := again.release(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(again.Dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there", again.Dir)
		}
		if _, err := Find("one"); !errors.Is(err, ErrNone) {
			t.Errorf("got %v", err)
		}
	})
}
