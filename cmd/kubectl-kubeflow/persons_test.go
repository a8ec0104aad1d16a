//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// persons is a file of testdata: what an administrator has (admin.yaml), and for each person what they write with their own permissions
// (PERSON.yaml), and what the API server does not let them write (PERSON.denied.yaml).
const persons = "testdata/persons.txtar"

// TestWhatPersonsWriteDecidesNothing plays each person of docs/security.md on a real API server, with exactly their permissions and the hostile
// scenario around them. Then an administrator runs every command: what was found is still found, what was refused still is, what would be
// changed or deleted is the same, and what is changed and undone leaves everything as it was.
func TestWhatPersonsWriteDecidesNothing(t *testing.T) {
	sandboxtest.Needed(t)
	kubeconfig, stop := sandboxtest.Start("--kubernetes=1.35", "--scenario=healthy-26.03")
	defer stop()
	s := &stage{T: t, kubeconfig: kubeconfig}
	a, err := txtar.ParseFile(persons)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range a.Files {
		files[f.Name] = string(f.Data)
	}
	s.kubectl("", "apply", "--server-side", "--force-conflicts", "-f", manifests(t))
	s.kubectl(files["crds.yaml"], "apply", "--server-side", "-f", "-")
	s.kubectl("", "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
	s.kubectl(files["admin.yaml"], "apply", "--server-side", "-f", "-")

	closed := s.decide("--dry-run=client")
	policy := func(spec string) {
		s.kubectl("", "patch", "authorizationpolicies", "-n=istio-system", "istio-ingressgateway-oauth2-proxy", "--type=merge", "-p", spec)
	}
	reopen := func() { policy(`{"spec":{"action":"AUDIT","provider":null}}`) }
	restore := func() { policy(`{"spec":{"action":"CUSTOM","provider":{"name":"oauth2-proxy"}}}`) }
	before := s.look()
	reopen()
	open := s.decide("--yes")
	restore()
	if open.expose.code == exitOK || closed.expose.code != exitOK {
		t.Fatalf("without authentication expose ends with %d: %s\nwith it with %d: %s", open.expose.code, open.expose.text, closed.expose.code, closed.expose.text)
	}

	for _, person := range []string{"contributor", "editor", "registrar", "secretary"} {
		s.write(person, files[person+".yaml"], files[person+".denied.yaml"])
		s.decide("--dry-run=client").notGreener(t, person, closed)
		reopen()
		s.decide("--yes").notGreener(t, person+", without authentication", open)
		restore()
	}
	s.leavesNoTrace(before)
	s.sayHostile()
	s.showsAll(reports)
}

// A stage is the cluster on which persons are played.
type stage struct {
	*testing.T
	kubeconfig string
}

func (s *stage) kubectl(stdin string, args ...string) string {
	s.Helper()
	out, err := s.try(stdin, args...)
	if err != nil {
		s.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (s *stage) try(stdin string, args ...string) (string, error) {
	cmd := exec.Command(sandboxtest.Kubectl("1.35"), append(args, "--kubeconfig="+s.kubeconfig)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// write lets a person write, under the name of this program's field manager, what they may, and shows that they may no more.
func (s *stage) write(person, allowed, denied string) {
	s.Helper()
	for _, manager := range []string{"kubectl-kubeflow", "kubectl-kubeflow-doctor"} {
		s.kubectl(allowed, "apply", "--as="+person, "--server-side", "--force-conflicts", "--field-manager="+manager, "-f", "-")
	}
	for document := range strings.SplitSeq(denied, "\n---\n") {
		if strings.TrimSpace(document) == "" {
			continue
		}
		if out, err := s.try(document, "apply", "--as="+person, "--server-side", "--force-conflicts", "-f", "-"); err == nil || !strings.Contains(out, "forbidden") {
			s.Errorf("%s may write %s: %s", person, document, out)
		}
	}
}

// A result is what a command ends with.
type result struct {
	code int
	text string
}

func (s *stage) run(args ...string) result {
	var out, errOut bytes.Buffer
	code := run(append(args, "--kubeconfig="+s.kubeconfig), strings.NewReader(""), &out, &errOut)
	return result{code, out.String() + errOut.String()}
}

// Decisions are what commands decide about a cluster.
type decisions struct {
	found     map[string]string // the warnings and errors, to their severity
	changes   []string          // of the fixes
	expose    result
	uninstall result
}

// Of the namespaces that persons write in, they decide.
var theirs = []string{"team", "kubectl-kubeflow"}

// decide asks what is found, fixed, exposed and uninstalled.
func (s *stage) decide(exposeFlag string) decisions {
	s.Helper()
	var report struct {
		Checks []struct {
			ID       string
			Findings []struct {
				Severity string
				About    cluster.Ref
				Fix      *struct {
					Changes []struct {
						Verb, Diff string
						About      cluster.Ref
					}
				}
			}
		}
	}
	var out, errOut bytes.Buffer
	run([]string{"doctor", "-o", "json", "--kubeconfig=" + s.kubeconfig}, strings.NewReader(""), &out, &errOut)
	if err := json.Unmarshal(out.Bytes(), &report); err != nil || len(report.Checks) < 50 {
		s.Fatalf("doctor: %v: %s", err, errOut.String())
	}
	d := decisions{found: map[string]string{}}
	for _, c := range report.Checks {
		for _, f := range c.Findings {
			if slices.Contains(theirs, f.About.Namespace) || f.Severity == "info" {
				continue
			}
			d.found[c.ID+" "+f.About.String()] = f.Severity
			if f.Fix == nil {
				continue
			}
			for _, change := range f.Fix.Changes {
				d.changes = append(d.changes, fmt.Sprintf("%s: %s %s\n%s", c.ID, change.Verb, change.About, change.Diff))
			}
		}
	}
	slices.Sort(d.changes)
	d.expose, d.uninstall = s.run("expose", "--lb", exposeFlag), s.run("uninstall", "--dry-run=client")
	return d
}

// notGreener reports what is not found any more, less severe, changed by more fixes, or not refused any more.
func (d decisions) notGreener(t *testing.T, who string, before decisions) {
	t.Helper()
	for _, about := range slices.Sorted(maps.Keys(before.found)) {
		if severity := before.found[about]; d.found[about] != severity && d.found[about] != "error" {
			t.Errorf("%s: %s of %s is %q", who, severity, about, d.found[about])
		}
	}
	for _, change := range d.changes {
		if !slices.Contains(before.changes, change) && !slices.ContainsFunc(theirs, func(namespace string) bool { return strings.Contains(change, "/"+namespace+"/") }) {
			t.Errorf("%s: a fix also makes this change: %s", who, change)
		}
	}
	warned := regexp.MustCompile(`no\s+authentication|not\s+proven`).MatchString(d.expose.text) // in the preview of what would be refused
	if d.expose.code == exitOK && d.expose != before.expose && !warned {
		t.Errorf("%s: expose would do\n%s\nbefore: exit code %d\n%s", who, d.expose.text, before.expose.code, before.expose.text)
	}
	if d.uninstall.code != before.uninstall.code {
		t.Errorf("%s: uninstall ends with %d\n%s\nbefore: %d\n%s", who, d.uninstall.code, d.uninstall.text, before.uninstall.code, before.uninstall.text)
	}
	t.Logf("%s: %d findings and %d changes, before %d and %d; expose ends with %d, before with %d", who, len(d.found), len(d.changes), len(before.found), len(before.changes), d.expose.code, before.expose.code)
}

// look returns all objects of the cluster.
func (s *stage) look() snapshot {
	s.Helper()
	all, err := takeSnapshot(s.Context(), sandboxtest.Connect(s, s.kubeconfig))
	if err != nil {
		s.Fatal(err)
	}
	return all
}

// leavesNoTrace applies what commands decide, reverts it, and compares all objects with what was there before persons wrote anything.
func (s *stage) leavesNoTrace(before snapshot) {
	s.Helper()
	for _, command := range []string{
		"expose --lb --yes", "expose --remove --yes", "doctor --undo=20260101-000001 --yes", "doctor --undo=20260101-000002 --yes", "doctor --undo=20260101-000003 --yes",
		"doctor --fix --yes", "doctor --undo --yes", "uninstall --name evil --yes", "expose --remove --yes",
	} {
		r := s.run(strings.Fields(command)...)
		s.Logf("%s: exit code %d\n%s", command, r.code, r.text)
	}
	after := s.look()
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if name != "Namespace/kubectl-kubeflow" && unchanging(name, before[name]) != unchanging(name, after[name]) {
			s.Errorf("%s was\n%s\nand is\n%s", name, before[name], after[name])
		}
	}
	for name, content := range after {
		if _, there := before[name]; !there && !slices.Contains(append(theirs, "kubeflow"), namespaceOf(name)) && unchanging(name, content) != "" && !strings.HasPrefix(name, "Profile/") {
			s.Errorf("%s is new: %s", name, content)
		}
	}
}

func namespaceOf(name string) string {
	if parts := strings.Split(name, "/"); len(parts) == 3 {
		return parts[1]
	}
	return ""
}

var (
	restarts  = regexp.MustCompile(`"(kubectl.kubernetes.io/restartedAt|deployment.kubernetes.io/revision)":"[^"]*",?`)
	replaced  = regexp.MustCompile(`^(Pod|ReplicaSet|EndpointSlice|Endpoints|ControllerRevision|IPAddress|PodMetrics)/`)
	emptied   = regexp.MustCompile(`"annotations":\{\},?`)
	timestamp = regexp.MustCompile(`"creationTimestamp":null,?`)
)

// unchanging is what restarts and their undoing do not change.
func unchanging(name, content string) string {
	if replaced.MatchString(name) {
		return ""
	}
	return timestamp.ReplaceAllString(emptied.ReplaceAllString(restarts.ReplaceAllString(content, ""), ""), "")
}

// sayHostile makes conditions and containers say hostile text, as a controller, a webhook or a kubelet that quotes others does.
func (s *stage) sayHostile() {
	text, err := json.Marshal(hostileText)
	if err != nil {
		s.Fatal(err)
	}
	s.kubectl("", "patch", "deployment", "oauth2-proxy", "-n=kubeflow", "--subresource=status", "--type=merge", "-p",
		`{"status":{"conditions":[{"type":"ReplicaFailure","status":"True","reason":"FailedCreate","message":`+string(text)+`},{"type":"Available","status":"False","reason":"X","message":`+string(text)+`}]}}`)
	s.kubectl(`{apiVersion: v1, kind: Pod, metadata: {name: speaks, namespace: kubeflow, labels: {app: ml-pipeline}}, spec: {nodeSelector: {no: node}, containers: [{name: main, image: "example.com/a:1"}]}}`, "create", "-f", "-")
	s.kubectl("", "patch", "pod", "speaks", "-n=kubeflow", "--subresource=status", "--type=merge", "-p",
		`{"status":{"phase":"Pending","message":`+string(text)+`,"conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":`+string(text)+`}],"containerStatuses":[{"name":"main","image":"a","imageID":"","ready":false,"restartCount":9,"state":{"waiting":{"reason":"CrashLoopBackOff","message":`+string(text)+`}},"lastState":{"terminated":{"exitCode":1,"reason":"Error","message":`+string(text)+`}}}]}}`)
}

// showsAll runs every format over what persons wrote.
func (s *stage) showsAll(formats []string) {
	for _, format := range formats {
		showsNothingHostile(s.T, []string{"doctor", "--kubeconfig=" + s.kubeconfig, "-o", format})
	}
	for _, args := range [][]string{{"status"}, {"status", "-o", "json"}, {"expose"}, {"expose", "-o", "yaml"}, {"uninstall", "--dry-run=client"}, {"doctor", "--undo=list"}, {"doctor", "--undo=list", "-o", "yaml"}, {"bundle", "-O", s.TempDir() + "/bundle.tar.gz"}} {
		showsNothingHostile(s.T, append(args, "--kubeconfig="+s.kubeconfig))
	}
}
