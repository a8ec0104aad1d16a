package scenario

import (
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	for _, name := range Names() {
		t.Run(name+" is whole", func(t *testing.T) {
			s, err := Load(name)
			if err != nil {
				t.Fatal(err)
			}
			if s.Kind != "Scenario" || s.Summary == "" {
				t.Errorf("its first document is no Scenario with a summary: %+v", s)
			}
			for _, object := range s.Objects {
				if object.GetAPIVersion() == "" || object.GetKind() == "" || object.GetName() == "" {
					t.Errorf("this is no object: %v", object)
				}
			}
		})
	}
	t.Run("one from another has the other's objects first", func(t *testing.T) {
		base, err := Load("healthy-26.03")
		if err != nil {
			t.Fatal(err)
		}
		top, err := Load("legacy-executor-on-new-argo")
		if err != nil {
			t.Fatal(err)
		}
		if len(top.Objects) <= len(base.Objects) || top.Objects[0].GetName() != base.Objects[0].GetName() {
			t.Errorf("%d objects on top of %d", len(top.Objects), len(base.Objects))
		}
	})
	t.Run("an unknown name is refused with those there are", func(t *testing.T) {
		_, err := Load("nope")
		if err == nil || !strings.Contains(err.Error(), "choose one of automatic, empty, guide") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a field that a Scenario does not have is refused", func(t *testing.T) {
		if _, err := parse([]byte("kind: Scenario\nruntimes: x\n")); err == nil {
			t.Error("it was taken")
		}
	})
}
