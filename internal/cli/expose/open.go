package expose

import (
	"errors"
	"io"
	"os"
	"runtime"
	"time"

	desktop "github.com/cli/browser"
)

// openBrowser opens a URL in the desktop's browser. What it starts is reaped, and prints nothing here: stdout is the result's.
func openBrowser(url string) error {
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" && os.Getenv("WSL_DISTRO_NAME") == "" {
		return errors.New("no display was found") // else a browser for terminals might be started
	}
	desktop.Stdout, desktop.Stderr = io.Discard, io.Discard
	opened := make(chan error, 1)
	go func() { opened <- desktop.OpenURL(url) }()
	select {
	case err := <-opened:
		return err
	case <-time.After(500 * time.Millisecond): // it runs for as long as the browser does
		return nil
	}
}
