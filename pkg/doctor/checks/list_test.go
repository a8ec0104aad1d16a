package checks

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// A recorder records which kinds a check reads.
type recorder struct {
	cluster.View
	kinds *sync.Map // by schema.GroupKind
}

func (r *recorder) Get(ctx context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	r.kinds.Store(ref.GroupKind(), true)
	return r.View.Get(ctx, ref)
}

func (r *recorder) List(ctx context.Context, kind schema.GroupKind, in cluster.Scope) ([]*unstructured.Unstructured, error) {
	r.kinds.Store(kind, true)
	return r.View.List(ctx, kind, in)
}

func TestChecksAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Every() {
		if seen[c.ID] {
			t.Errorf("%s is listed twice", c.ID)
		}
		seen[c.ID] = true
		source := strings.ReplaceAll(c.ID, "-", "_") + ".go"
		if _, err := os.Stat(source); err != nil {
			t.Errorf("%s is not in the file of its name: %v", c.ID, err)
		}
		for _, text := range []struct{ name, value string }{{"title", c.Title}, {"why", c.Why}, {"fix note", c.FixNote}} {
			if text.value == "" {
				t.Errorf("%s has no %s", c.ID, text.name)
			}
		}
		if strings.HasSuffix(c.Title, ".") || c.Title == "" || unicode.IsLower(rune(c.Title[0])) && !slices.Contains(lowerCaseNames, strings.Fields(c.Title)[0]) {
			t.Errorf("%s: the title %q should be a short statement without a full stop that starts with a capital letter", c.ID, c.Title)
		}
	}
}

// lowerCaseNames are names that stay in lower case at the start of a title.
var lowerCaseNames = []string{"cert-manager", "dex", "inotify"}

func TestEveryDeclaredCheckIsListed(t *testing.T) {
	list, err := os.ReadFile("all.go")
	if err != nil {
		t.Fatal(err)
	}
	declaration := regexp.MustCompile(`(?m)^var (\w+) = &doctor\.Check\{`)
	files, err := filepath.Glob("*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no area was found: %v", err)
	}
	for _, path := range files {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range declaration.FindAllSubmatch(source, -1) {
			name := filepath.Base(filepath.Dir(path)) + "." + string(match[1])
			if !strings.Contains(string(list), "\t"+name+",") {
				t.Errorf("%s declares %s, but all.go does not list it", path, name)
			}
		}
	}
}

func TestEveryCheckHasAPassingAndAFailingCase(t *testing.T) {
	for _, c := range Every() {
		paths, _ := filepath.Glob(casesOf(c))
		endings := map[doctor.Status]int{}
		for _, path := range paths {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			status, _, _ := strings.Cut(strings.TrimSpace(file(a, "want")), "\n")
			status, _, _ = strings.Cut(status, " ")
			endings[doctor.Status(status)]++
		}
		if endings[doctor.OK] == 0 || endings[doctor.Found] == 0 {
			t.Errorf("%s has %d passing and %d failing cases; it needs at least one of each", c.ID, endings[doctor.OK], endings[doctor.Found])
		}
	}
}

func TestChecksReadOnlyDeclaredKinds(t *testing.T) {
	for _, c := range Every() {
		var kinds sync.Map
		paths, _ := filepath.Glob(casesOf(c))
		for _, path := range paths {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			view, settings := read(t, a)
			if len(settings.MPIOperator) > 0 {
				continue // it reads the kinds of the newer operator
			}
			r := &recorder{View: view, kinds: &kinds}
			if settings.Install != nil {
				settings.Install.Now = &recorder{View: settings.Install.Now, kinds: &kinds}
			}
			ctx, join := cluster.Joined(t.Context())
			_, _ = c.Run(ctx, doctor.Exam{View: r, Settings: settings}) // TestCases judges the result
			join()
		}
		for found := range kinds.Range {
			kind := found.(schema.GroupKind)
			if !slices.Contains(c.Reads, kind) && !slices.Contains(c.Rendered, kind) && !slices.Contains(c.Reads, schema.GroupKind{Group: kind.Group, Kind: "*"}) {
				t.Errorf("%s reads %s but does not declare it", c.ID, kind)
			}
		}
		for _, kind := range c.Reads {
			if _, read := kinds.Load(kind); !read && kind.Kind != "*" {
				t.Errorf("%s declares %s but reads it in no case", c.ID, kind)
			}
		}
	}
}

func TestUnknownIDSuggestsTheNearest(t *testing.T) {
	for id, want := range map[string]string{
		"pipelines/exektor": "pipelines/executor", "executor": "pipelines/executor", "destinationrules": "mesh/destination-rules", "zebra": "",
	} {
		_, err := Find(id)
		unknown, ok := err.(*UnknownIDError)
		if !ok || unknown.Near != want {
			t.Errorf("%s results in %v, want %q suggested", id, err, want)
		}
	}
	found, err := Find("mesh")
	if err != nil || len(found) < 2 {
		t.Errorf("the area mesh stands for %d checks (%v)", len(found), err)
	}
	for _, c := range found {
		if c.Area() != "mesh" {
			t.Errorf("the area mesh stands for %s", c.ID)
		}
	}
}
