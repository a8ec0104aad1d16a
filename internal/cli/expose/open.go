package expose

import (
	"errors"
	"io"
	"os"
	"runtime"
	"time"

	desktop "github.com/cli/browser"
)

// openBrowser opens a URL in the desktop's browser. The browser's output is dropped, because stdout is for the result.
func openBrowser(url string) error {
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" && os.Getenv("WSL_DISTRO_NAME") == "" {
		return errors.New("no display found") // else a text browser might start
	}
	desktop.Stdout, desktop.Stderr = io.Discard, io.Discard
	opened := make(chan error, 1)
	go func() { opened <- desktop.OpenURL(url) }()
	select {
	case err := <-opened:
		return err
	case <-time.After(500 * time.Millisecond): // the opener may run as long as the browser
		return nil
	}
}
