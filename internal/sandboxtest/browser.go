package sandboxtest

import "os/exec"

// Browser returns the path of a browser that runs without a screen, "" if there is none.
func Browser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
