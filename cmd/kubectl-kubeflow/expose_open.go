package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
)

// openBrowser opens a URL where there is a browser to open it in.
func openBrowser(url string) error {
	switch runtime.GOOS {
	case "darwin":
		return exec.Command("open", url).Start()
	case "windows":
		return exec.Command("rundll32", "url.dll,FileProtocolHandler", url).Start()
	}
	if wsl, err := exec.LookPath("wslview"); err == nil {
		return exec.Command(wsl, url).Start()
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return errors.New("there is no display here")
	}
	opener, err := exec.LookPath("xdg-open")
	if err != nil {
		return errors.New("xdg-open is not installed")
	}
	return exec.Command(opener, url).Start()
}
