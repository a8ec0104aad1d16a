package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
)

// haveBrowser is the condition [browser]: a browser that runs without a screen, and certutil to tell it whom to trust. CI must have them.
func haveBrowser() (bool, error) {
	if sandboxtest.Browser() == "" {
		return missing("chromium", exec.ErrNotFound)
	}
	if _, err := exec.LookPath("certutil"); err != nil {
		return missing("certutil (libnss3-tools)", err)
	}
	return true, nil
}

// browse: "browse URLFILE TEXT [CAFILE]" opens a page in a real browser, which trusts that authority beside those it knows and
// nobody else, and wants the text in what it shows.
func browse(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: [!] browse URLFILE TEXT [CAFILE]")
	}
	if len(args) == 3 {
		trusted := ts.MkAbs(".pki/nssdb")
		ts.Check(os.MkdirAll(trusted, 0o700))
		ts.Check(ts.Exec("certutil", "-d", "sql:"+trusted, "-N", "--empty-password"))
		ts.Check(ts.Exec("certutil", "-d", "sql:"+trusted, "-A", "-t", "C,,", "-n", "kubeflow", "-i", ts.MkAbs(args[2])))
	}
	url := strings.TrimSpace(ts.ReadFile(args[0]))
	// A page that never comes must not hold the script up.
	cmd := exec.Command(sandboxtest.Browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--user-data-dir="+filepath.Join(ts.Getenv("WORK"), "browser"), "--dump-dom", url)
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"))
	late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	shown, err := cmd.Output()
	ts.Check(err)
	ts.Logf("%s shows:\n%s", url, shown)
	if found := strings.Contains(string(shown), args[1]); found == neg {
		ts.Fatalf("%q in what the browser shows: %v", args[1], found)
	}
}

// forward: "forward URLFILE [FLAG…]" keeps expose --port-forward open until the script ends, and writes its URL into a file.
func forward(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: forward URLFILE [FLAG…]")
	}
	folders := filepath.SplitList(ts.Getenv("PATH")) // testscript puts the program into the first
	cmd := exec.Command(filepath.Join(folders[0], "kubectl-kubeflow"), append([]string{"expose", "--port-forward", "-o", "name"}, args[1:]...)...)
	for _, name := range []string{"HOME", "PATH", "KUBECONFIG", "XDG_CACHE_HOME"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	late := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	url, err := bufio.NewReader(out).ReadString('\n')
	late.Stop()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(url), 0o600))
}
