//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/armtest"
)

// killAt runs a creation against a server of its own, kills it at the nth request, and runs it again. It reports whether there
// was an nth request.
func killAt(t *testing.T, folder string, n int, after bool) bool {
	t.Helper()
	server := armtest.New(t, "../..")
	if err := armtest.FakeAz(folder); err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(folder, "kubeconfig")
	create := func() (*exec.Cmd, *bytes.Buffer) {
		var said bytes.Buffer
		cmd := exec.Command(os.Args[0], "cluster", "create", "kf", "-g", "kubeflow", "--location", "westeurope", "--yes", "--arm-endpoint", server.URL)
		cmd.Args[0] = "kubectl-kubeflow" // the name under which the test binary is the program
		cmd.Env = append(os.Environ(), "PATH="+folder+":/usr/bin:/bin", "HOME="+folder, "KUBECONFIG="+kubeconfig, "SSL_CERT_FILE="+server.CA, "AZURE_SUBSCRIPTION_ID="+armtest.Subscription)
		cmd.Stderr = &said
		return cmd, &said
	}
	server.Hold(n, "/", after)
	first, said := create()
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- first.Wait() }()
	select {
	case err := <-ended: // without an nth request
		if err != nil {
			t.Fatalf("request %d: %v\n%s", n, err, said)
		}
		return false
	case <-server.Held():
		if err := first.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-ended
	case <-time.After(time.Minute):
		t.Fatalf("request %d: nothing happens\n%s", n, said)
	}
	server.Release()
	again, said := create()
	if err := again.Run(); err != nil {
		t.Fatalf("killed at request %d: %v\n%s", n, err, said)
	}
	if got := server.State(); len(got) != 4 || got[0] != "cluster kf Succeeded" || got[1] != "group kubeflow" || got[2] != "role" {
		t.Errorf("killed at request %d: there is %q", n, got)
	}
	if server.Creations() != 1 {
		t.Errorf("killed at request %d: the cluster was created %d times", n, server.Creations())
	}
	if content, err := os.ReadFile(kubeconfig); err != nil || !bytes.Contains(content, []byte("azurecli")) {
		t.Errorf("killed at request %d: no credentials (%v)", n, err)
	}
	return true
}
