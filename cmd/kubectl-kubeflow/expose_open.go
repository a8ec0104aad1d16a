package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
)

// openBrowser opens a URL where there is a browser to open it in.
func openBrowser(url string) error {
	command, err := opener()
	if err != nil {
		return err
	}
	cmd := exec.Command(command[0], append(command[1:], url)...)
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // it may outlive a port-forward, or end long before it
	return nil
}

// opener is the command that opens a URL in this desktop's browser.
func opener() ([]string, error) {
	switch runtime.GOOS {
	case "darwin":
		return []string{"open"}, nil
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}, nil
	}
	if wsl, err := exec.LookPath("wslview"); err == nil { // Linux inside Windows, whose browser it is
		return []string{wsl}, nil
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return nil, errors.New("there is no display here")
	}
	xdg, err := exec.LookPath("xdg-open")
	if err != nil {
		return nil, errors.New("xdg-open is not installed")
	}
	return []string{xdg}, nil
}
