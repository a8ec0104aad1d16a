//go:build unix

package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/armtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
)

// TestJourneys runs the whole program as a user types it, on a real API server. Each script is a file of
// testdata/journey and starts the sandbox that it needs; those that need the real archives say so.
func TestJourneys(t *testing.T) {
	sandboxtest.Needed(t)
	mirror := os.Getenv("KUBEFLOW_MIRROR")
	if mirror == "" {
		mirror = "../../../shared/mirror"
	}
	mirror, err := filepath.Abs(mirror)
	if err != nil {
		t.Fatal(err)
	}
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/journey",
		Condition: func(name string) (bool, error) {
			switch name {
			case "archives":
				return haveArchives(mirror)
			case "long":
				return os.Getenv("KUBEFLOW_TEST_LONG") != "", nil
			case "browser":
				return haveBrowser()
			case "shells":
				return haveShells()
			case "jupyter":
				return haveJupyter()
			}
			return false, fmt.Errorf("there is no condition %q", name)
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("NO_COLOR", "1")
			env.Setenv("LANG", "C.UTF-8")
			env.Setenv("XDG_CACHE_HOME", cache)
			env.Setenv("MIRROR", mirror)
			env.Setenv("REPOSITORY", repository)
			env.Setenv("PLUGIN_PATH", env.Getenv("PATH"))
			env.Values[armKey{}] = armtest.New(env.T().(testing.TB), repository)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sandbox":    startSandbox,
			"azure":      startAzure,
			"arm":        arm,
			"get":        getPage,
			"verified":   getVerified,
			"browse":     browse,
			"forward":    forward,
			"kubectl":    kubectlOnPath,
			"path":       addPath,
			"follow":     follow,
			"exits":      exits,
			"events":     readEvents,
			"snapshot":   takeForScript,
			"context":    nameContext,
			"profile":    makeProfile,
			"since":      sinceForScript,
			"samereport": sameReport,
			"settled":    settled,
			"cuts":       cuts,
			"requests":   requests,
		},
	})
}

// startSandbox: "sandbox 1.21 [FLAG…]" starts a cluster for the rest of the script, with a kubectl of its version as $KUBECTL.
func startSandbox(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: sandbox VERSION [FLAG…]")
	}
	kubeconfig, stop := sandboxtest.Start(append([]string{"--kubernetes=" + args[0]}, args[1:]...)...)
	ts.Defer(stop)
	ts.Setenv("KUBECONFIG", kubeconfig)
	ts.Setenv("KUBECTL", sandboxtest.Kubectl(args[0]))
}

// haveArchives is the condition [archives]: the folder of real archives is there. CI must have it.
func haveArchives(mirror string) (bool, error) {
	_, err := os.Stat(filepath.Join(mirror, "github.com", "kubeflow"))
	if err != nil && os.Getenv("CI") != "" {
		return false, fmt.Errorf("the real archives are not there (set KUBEFLOW_MIRROR): %w", err)
	}
	return err == nil, nil
}

// haveJupyter is the condition [jupyter]: the server of the sandbox's notebooks is installed. CI must have it.
func haveJupyter() (bool, error) {
	_, err := os.Stat("/usr/bin/jupyter-server")
	if err != nil && os.Getenv("CI") != "" {
		return false, fmt.Errorf("notebooks have no server (apt-get install jupyter-server python3-ipykernel python3-numpy): %w", err)
	}
	return err == nil, nil
}

// getVerified: "verified URLFILE CAFILE STATUS" asks for a page as a client that trusts one authority alone, and wants that status.
func getVerified(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: verified URLFILE CAFILE STATUS")
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ts.ReadFile(args[1]))) {
		ts.Fatalf("%s holds no certificate", args[1])
	}
	client := &http.Client{
		Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Get(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	response.Body.Close()
	if got := fmt.Sprint(response.StatusCode); got != args[2] {
		ts.Fatalf("got %s, want %s", got, args[2])
	}
}

// getPage: "get FILE[+PATH] STATUS TEXT" asks for a page, below the URL in a file, and wants that status and text in its body.
func getPage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: get FILE[+PATH] STATUS TEXT")
	}
	file, path, _ := strings.Cut(args[0], "+")
	url := strings.TrimSpace(ts.ReadFile(file)) + path
	client := &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Get(url)
	ts.Check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	if got := fmt.Sprint(response.StatusCode); got != args[1] || !strings.Contains(string(body), args[2]) {
		ts.Fatalf("got %s and %q, want %s and %q", got, body, args[1], args[2])
	}
}

// exits: "exits CODE COMMAND…" runs this program and wants that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE ARGUMENT…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("%s: exit code %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// events: "events FILE NAME…" wants one JSON event on each line of a file, the first and the last of the given names, and
// those between them somewhere.
func readEvents(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: events FILE FIRST [NAME…] LAST")
	}
	var names []string
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var record events.Record
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.APIVersion == "" || record.Event == "" {
			ts.Fatalf("this line is no event: %s", line)
		}
		if record.Event != "note" && record.Event != "warning" {
			names = append(names, record.Event)
		}
	}
	if len(names) == 0 || names[0] != args[1] || names[len(names)-1] != args[len(args)-1] {
		ts.Fatalf("the events are %v", names)
	}
	for _, name := range args[1:] {
		if !slices.Contains(names, name) {
			ts.Fatalf("there is no event %s among %v", name, names)
		}
	}
}
