package checks

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// FuzzTextOfObjects runs checks on their cases with any text in place of one: configuration files in ConfigMaps, annotations, addresses,
// patterns. No check breaks or takes long, and a fix changes only what the case's own findings may.
func FuzzTextOfObjects(f *testing.F) {
	for i, seed := range []string{"", "a: &a [*a]", "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b]", "{", "(a{1000}){1000}", "http://%zz", "::::", "0.0.0.0/0", strings.Repeat("[", 3000), "\x00\x1b[2J"} {
		f.Add(uint16(37*i), uint16(11*i), seed)
	}
	type one struct {
		check int
		path  string
	}
	var all []one
	every := Every()
	for i, c := range every {
		paths, err := filepath.Glob(casesOf(c))
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			all = append(all, one{i, path})
		}
	}
	f.Fuzz(func(t *testing.T, at, field uint16, text string) {
		chosen := all[int(at)%len(all)]
		a, err := txtar.ParseFile(chosen.path)
		if err != nil {
			t.Fatal(err)
		}
		view, s := read(t, a)
		if s.Install != nil {
			return // its overlay holds copies
		}
		n := 0
		for _, parsed := range objects(t, file(a, "cluster.yaml")) {
			o, err := view.Get(t.Context(), cluster.RefOf(parsed))
			if err != nil {
				continue
			}
			for _, path := range fieldsWithin(o.Object, nil) {
				if n++; n == int(field)%400 {
					set(o.Object, path, text)
				}
			}
		}
		began := time.Now()
		report := runCheck(view, every[chosen.check], s)
		if strings.Contains(report.Reason, "the check itself broke") {
			t.Errorf("%s, field %d: %s", chosen.path, field, report.Reason)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("%s, field %d: %d bytes took %s", chosen.path, field, len(text), took)
		}
	})
}
