//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestABrowserIsOpenedWhereThereIsOne(t *testing.T) {
	const url = "http://localhost:8080/"
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	t.Setenv("WAYLAND_DISPLAY", "")
	t.Setenv("DISPLAY", "")
	if err := openBrowser(url); err == nil || err.Error() != "there is no display here" {
		t.Errorf("without a display: %v", err)
	}
	t.Setenv("DISPLAY", ":0")
	if err := openBrowser(url); err == nil || err.Error() != "xdg-open is not installed" {
		t.Errorf("without xdg-open: %v", err)
	}
	for _, opener := range []string{"xdg-open", "wslview"} { // the latter is asked first
		opened := filepath.Join(folder, opener+".opened")
		if err := os.WriteFile(filepath.Join(folder, opener), []byte("#!/bin/sh\nprintf %s \"$1\" >"+opened+".new; /bin/mv "+opened+".new "+opened+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := openBrowser(url); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(opened)
		for deadline := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(deadline); got, err = os.ReadFile(opened) {
			time.Sleep(10 * time.Millisecond)
		}
		if string(got) != url {
			t.Errorf("%s was given %q: %v", opener, got, err)
		}
	}
}
