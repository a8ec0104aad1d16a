//go:build linux

package expose

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestOpenBrowserRunsTheDesktopOpener(t *testing.T) {
	const url = "http://localhost:8080/"
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	for _, name := range []string{"WAYLAND_DISPLAY", "DISPLAY", "WSL_DISTRO_NAME"} {
		t.Setenv(name, "")
	}
	if err := openBrowser(url); err == nil || err.Error() != "no display found" {
		t.Errorf("without a display: %v", err)
	}
	t.Setenv("DISPLAY", ":0")
	if err := openBrowser(url); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("without an opener: %v", err)
	}
	xdg, opened := filepath.Join(folder, "xdg-open"), filepath.Join(folder, "opened")
	script := func(text string) {
		t.Helper()
		if err := os.WriteFile(xdg, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script("exit 3")
	if err := openBrowser(url); !errors.As(err, new(*exec.ExitError)) {
		t.Errorf("if the opener fails: %v", err)
	}
	script(`printf %s "$1" >` + opened + `; exec /bin/sleep 30`)
	began := time.Now()
	if err := openBrowser(url); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("waited %s for the browser to exit", took)
	}
	if got, err := os.ReadFile(opened); string(got) != url {
		t.Errorf("opened %q: %v", got, err)
	}
}
