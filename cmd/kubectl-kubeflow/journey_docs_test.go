package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// follow: "follow PAGE" does what a page tells its reader to: it runs the page's blocks of shell commands one after another,
// in one folder. What a reader has and a test has not is played: Azure and krew by programs that do nothing (az aks
// get-credentials gives the sandbox's), the yes at the terminal, the archives from the internet, and the Ctrl-C that ends
// a port-forward.
func follow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: follow PAGE")
	}
	page, err := os.ReadFile(filepath.Join(ts.Getenv("REPOSITORY"), filepath.FromSlash(args[0])))
	ts.Check(err)
	folder := ts.MkAbs("reader")
	ts.Check(os.MkdirAll(folder, 0o755))
	programs := map[string]string{
		"az":           "case \"$*\" in *get-credentials*) cp \"$SANDBOX_KUBECONFIG\" \"$HOME/credentials\";; esac\n",
		"kubectl-krew": "[ \"$*\" = 'install kubeflow' ]\n",
		"kubectl-kubeflow": `case "$*" in
*--port-forward*) timeout -s INT 6 "$PLUGIN" "$@"; [ $? -eq 124 ] || [ $? -eq 130 ];;
install*) "$PLUGIN" "$@" --mirror "$MIRROR" --skip-verify --yes;;
'expose --lb'*) "$PLUGIN" "$@" --port 8843 --yes;;
*--fix*|uninstall*|'expose --remove'*) "$PLUGIN" "$@" --yes;;
'releases'*|*) "$PLUGIN" "$@";;
esac
`,
	}
	for name, text := range programs {
		ts.Check(os.WriteFile(filepath.Join(folder, name), []byte("#!/usr/bin/env bash\n"+text), 0o755))
	}
	blocks := shellBlocks(string(page))
	if len(blocks) == 0 {
		ts.Fatalf("%s has no commands", args[0])
	}
	for i, block := range blocks {
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", block)
		cmd.Dir = folder
		plugin := filepath.Join(filepath.SplitList(ts.Getenv("PLUGIN_PATH"))[0], "kubectl-kubeflow")
		for _, name := range []string{"HOME", "XDG_CACHE_HOME", "MIRROR", "NO_COLOR", "KUBECONFIG"} {
			cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
		}
		cmd.Env = append(cmd.Env, "PLUGIN="+plugin, "SANDBOX_KUBECONFIG="+ts.Getenv("KUBECONFIG"), "PATH="+folder+string(os.PathListSeparator)+ts.Getenv("PATH"))
		late := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
		out, err := cmd.CombinedOutput()
		late.Stop()
		ts.Logf("%s, block %d:\n%s\n%s", args[0], i+1, block, out)
		if err != nil {
			ts.Fatalf("%s, block %d: %v", args[0], i+1, err)
		}
	}
}

// shellBlocks returns the blocks of a page that are marked as commands.
func shellBlocks(page string) []string {
	var blocks []string
	for {
		_, rest, ok := strings.Cut(page, "\n```sh\n")
		if !ok {
			return blocks
		}
		block, after, ok := strings.Cut(rest, "\n```")
		if !ok {
			panic(fmt.Sprintf("a block does not end: %.40q", rest))
		}
		blocks, page = append(blocks, block), after
	}
}
