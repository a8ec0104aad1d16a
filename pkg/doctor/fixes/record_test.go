package fixes

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// stored returns the Secret of a run that has this content.
func stored(name, content string) func() (*Run, error) {
	o := (&Run{Name: name}).object()
	o.Object["data"] = map[string]any{recordKey: base64.StdEncoding.EncodeToString([]byte(content))}
	return func() (*Run, error) { return decode(o) }
}

func TestASpoiledRecordIsNamedWithItsReason(t *testing.T) {
	const name = "20260101-000000"
	run := func(steps ...string) string {
		return fmt.Sprintf(`{"name":%q,"finished":true,"steps":[%s]}`, name, strings.Join(steps, ","))
	}
	step := func(more string) string {
		return `{"check":"a/b","about":{"apiVersion":"v1","kind":"ConfigMap","namespace":"kubeflow","name":"x"},` + more + `}`
	}
	for _, c := range []struct{ name, record, content, want string }{
		{"a run", name, run(step(`"verb":"patch","state":"made"`)), ""},
		{"no JSON", name, "{", "not the JSON of a run"},
		{"other types", name, `{"name":1}`, "not the JSON of a run"},
		{"the name of another run", "20260101-000001", run(), "do not name the same run"},
		{"no time", "last", strings.ReplaceAll(run(), name, "last"), "no valid name"},
		{"the future", "29990101-000000", strings.ReplaceAll(run(), name, "29990101-000000"), "of the future"},
		{"too large", name, run() + strings.Repeat(" ", 2<<20), "larger than"},
		{"as large as it may be", name, run() + strings.Repeat(" ", mostBytes-len(run())), ""},
		{"a byte too large", name, run() + strings.Repeat(" ", mostBytes-len(run())+3), "larger than"}, // base64 has three bytes in a group
		{"as many steps as there may be", name, run(strings.Repeat(step(`"verb":"patch"`)+",", mostSteps-1) + step(`"verb":"patch"`)), ""},
		{"too many steps", name, run(strings.Repeat(step(`"verb":"patch"`)+",", mostSteps) + step(`"verb":"patch"`)), "more than"},
		{"no object", name, run(`{"check":"a/b","verb":"patch"}`), "does not name an object"},
		{"null", name, run("null"), "does not name an object"},
		{"a state that does not exist", name, run(step(`"verb":"patch","state":"wanted"`)), "state is unknown"},
		{"a verb that does not exist", name, run(step(`"verb":"exec"`)), "verb is unknown"},
		{"a deletion of nothing", name, run(step(`"verb":"delete"`)), "has what was deleted"},
		{"a deletion of another object", name, run(step(`"verb":"delete","before":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"y","namespace":"kubeflow"}}`)), "another object"},
		{"a creation with an inverse", name, run(step(`"verb":"apply","created":true,"inverse":[{"op":"remove","path":"/data"}]`)), "cannot be a creation"},
		{"a copy", name, run(step(`"verb":"patch","inverse":[{"op":"copy","from":"/data","path":"/metadata/labels"}]`)), "no fix records"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := stored(c.record, c.content)()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"name":"20260101-000000","steps":[{"check":"a/b","verb":"patch","about":{"apiVersion":"v1","kind":"ConfigMap","name":"x"},"inverse":[{"op":"test","path":"/data/x","value":"a"},{"op":"replace","path":"/data/x","value":"b"}]}]}`)
	f.Add(`{"name":"20260101-000000","steps":[{"verb":"delete","about":{"apiVersion":"v1","kind":"ConfigMap","name":"x"},"before":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}}]}`)
	f.Fuzz(func(t *testing.T, content string) {
		run, err := stored("20260101-000000", content)()
		if err != nil {
			return
		}
		u := &undoer{run: run, isProfile: func(string) bool { return true }}
		for _, s := range run.Steps {
			u.decide(s, live("good", "1", "kubectl"))
			u.decide(s, nil)
		}
		_ = List(History{Runs: []Run{*run}})
	})
}
