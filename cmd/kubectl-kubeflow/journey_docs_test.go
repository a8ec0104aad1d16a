package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// follow: "follow PAGE" does what a page tells its reader to: it runs the page's blocks of commands one after another, in
// one folder. What a reader has and a test has not is played: Azure and krew by programs that do nothing (az aks
// get-credentials gives the sandbox's), the yes at the terminal, what comes from the internet, and the Ctrl-C that ends a
// port-forward. A bare "expose --lb" has to be refused: the page's reader has not changed the password yet.
func follow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: follow PAGE")
	}
	page, err := os.ReadFile(filepath.Join(ts.Getenv("REPOSITORY"), filepath.FromSlash(args[0])))
	ts.Check(err)
	folder, played := ts.MkAbs("reader"), ts.MkAbs("played")
	ts.Check(os.MkdirAll(folder, 0o755))
	ts.Check(os.MkdirAll(played, 0o755))
	programs := map[string]string{
		"az":           "case \"$*\" in *get-credentials*) cp \"$SANDBOX_KUBECONFIG\" \"$HOME/credentials\";; esac\n",
		"kubectl-krew": "case \"$*\" in 'install kubeflow' | 'install kubeflow/kubeflow' | 'index add kubeflow https://'*/kubectl-kubeflow.git) ;; *) exit 1 ;; esac\n",
		"kubectl-kubeflow": `case "$*" in
*--port-forward*|dashboard*) timeout -s INT 6 "$PLUGIN" "$@"; code=$?; [ $code -eq 124 ] || [ $code -eq 0 ];;
install*) "$PLUGIN" "$@" --mirror "$MIRROR" --skip-verify --yes;;
'expose --lb') said=$("$PLUGIN" "$@" --yes 2>&1); code=$?; echo "$said"; [ $code -eq 2 ] && [[ $said == *'not made public'* ]];;
'expose --lb'*) "$PLUGIN" "$@" --port 8843 --yes;;
*--fix*|uninstall*|'expose --remove'*) "$PLUGIN" "$@" --yes;;
'releases'*|*) "$PLUGIN" "$@";;
esac
`,
	}
	for name, text := range programs {
		ts.Check(os.WriteFile(filepath.Join(played, name), []byte("#!/usr/bin/env bash\n"+text), 0o755))
	}
	sources, err := fromHere(ts)
	ts.Check(err)
	blocks := commandBlocks(string(page))
	if len(blocks) == 0 {
		ts.Fatalf("%s has no commands", args[0])
	}
	for i, block := range blocks {
		if target, ok := strings.CutPrefix(block, "make "); ok { // minutes each: CI does these by themselves
			if ci := ts.ReadFile(filepath.Join(ts.Getenv("REPOSITORY"), ".ci", "run")); !strings.Contains(ci, "step make "+strings.TrimSpace(target)) {
				ts.Fatalf("%s, block %d: CI does not run %s", args[0], i+1, block)
			}
			continue
		}
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", block)
		cmd.Dir = folder
		plugin := filepath.Join(filepath.SplitList(ts.Getenv("PLUGIN_PATH"))[0], "kubectl-kubeflow")
		for _, name := range []string{"HOME", "XDG_CACHE_HOME", "MIRROR", "NO_COLOR", "KUBECONFIG"} {
			cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
		}
		cmd.Env = append(cmd.Env, "PLUGIN="+plugin, "SANDBOX_KUBECONFIG="+ts.Getenv("KUBECONFIG"), "PATH="+played+string(os.PathListSeparator)+ts.Getenv("PATH"))
		cmd.Env = append(cmd.Env, sources...)
		late := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
		out, err := cmd.CombinedOutput()
		late.Stop()
		ts.Logf("%s, block %d:\n%s\n%s", args[0], i+1, block, out)
		if err != nil {
			ts.Fatalf("%s, block %d: %v", args[0], i+1, err)
		}
	}
}

// fromHere lets git clone this repository in the place of the one on the internet, and go install what is built of it.
func fromHere(ts *testscript.TestScript) ([]string, error) {
	env := []string{
		"GOTOOLCHAIN=local", "GOBIN=" + ts.MkAbs("gobin"),
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url." + ts.Getenv("REPOSITORY") + ".insteadOf", "GIT_CONFIG_VALUE_0=https://github.com/kubectl-kubeflow/kubectl-kubeflow",
	}
	said, err := exec.Command("go", "env", "-json", "GOPATH", "GOCACHE", "GOMODCACHE", "GOFLAGS", "CGO_ENABLED").Output()
	if err != nil {
		return nil, err
	}
	var same map[string]string // as it is here: what is compiled already need not be compiled again
	err = json.Unmarshal(said, &same)
	for name, value := range same {
		env = append(env, name+"="+value)
	}
	return env, err
}

// commandBlocks returns the blocks of a page that hold commands: fenced and marked as such, or indented.
func commandBlocks(page string) []string {
	var blocks []string
	fenced, indented := false, false
	for line := range strings.Lines(page) {
		command, isIndented := strings.CutPrefix(line, "    ")
		switch isIndented = isIndented && !fenced; {
		case strings.HasPrefix(line, "```"):
			if fenced = line == "```sh\n"; fenced {
				blocks = append(blocks, "")
			}
		case fenced:
			blocks[len(blocks)-1] += line
		case isIndented && indented:
			blocks[len(blocks)-1] += command
		case isIndented:
			blocks = append(blocks, command)
		}
		indented = isIndented
	}
	return blocks
}
