//go:build unix

package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// cuts: "cuts SIGNAL CODE PATTERN COMMAND…" runs a command with -v=6, sends it a signal as soon as it logs a request that matches, and wants that
// exit code; -1 is one that a signal ended.
func cuts(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: cuts SIGNAL CODE PATTERN COMMAND…")
	}
	signal, known := map[string]os.Signal{"INT": syscall.SIGINT, "KILL": syscall.SIGKILL}[args[0]]
	if !known {
		ts.Fatalf("there is no signal %s", args[0])
	}
	at := regexp.MustCompile(args[2])
	program, err := findProgram(ts, args[3])
	ts.Check(err)
	cmd := exec.Command(program, append(args[4:], "-v=6")...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), environment(ts)
	stderr, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	var said []string
	cut := false
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !strings.Contains(lines.Text(), `"Response" verb=`) {
			said = append(said, lines.Text())
		}
		if !cut && at.MatchString(lines.Text()) {
			cut = true
			ts.Check(cmd.Process.Signal(signal))
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	code := strconv.Itoa(cmd.ProcessState.ExitCode())
	ts.Logf("cut by %s: exit code %s\n%s", args[0], code, strings.Join(said, "\n"))
	if !cut || code != args[1] {
		ts.Fatalf("cut: %t, exit code %s, want %s\n%s", cut, code, args[1], strings.Join(said, "\n"))
	}
	ts.Check(os.WriteFile(ts.MkAbs("said"), []byte(strings.Join(said, "\n")+"\n"), 0o600))
}

// environment is what a program of a script sees.
func environment(ts *testscript.TestScript) []string {
	var all []string
	for _, name := range []string{"PATH", "HOME", "KUBECONFIG", "NO_COLOR", "LANG", "XDG_CACHE_HOME", "TMPDIR"} {
		all = append(all, name+"="+ts.Getenv(name))
	}
	return all
}

func findProgram(ts *testscript.TestScript, name string) (string, error) {
	for folder := range strings.SplitSeq(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		if path, err := exec.LookPath(folder + "/" + name); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

// requests: "requests MOST" wants no more requests to the API server in the log of the command before, which had -v=6.
func requests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: requests MOST")
	}
	most, err := strconv.Atoi(args[0])
	ts.Check(err)
	count := strings.Count(ts.ReadFile("stderr"), `"Response" verb=`)
	ts.Logf("%d requests, at most %d", count, most)
	if count > most || count == 0 {
		ts.Fatalf("%d requests, want at most %d:\n%s", count, most, ts.ReadFile("stderr"))
	}
}
