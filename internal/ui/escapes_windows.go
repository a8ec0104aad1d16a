package ui

import (
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// escapes reports whether a stream is a console that understands escape sequences. Windows wants to be asked for that first.
func escapes(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	console := windows.Handle(file.Fd())
	var mode uint32
	return windows.GetConsoleMode(console, &mode) == nil &&
		windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
