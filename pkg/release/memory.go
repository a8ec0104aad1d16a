package release

import (
	"os"
	"runtime/debug"
)

// roomy lets the heap grow further between collections until the returned function is called: building
// makes millions of small nodes that all live to the end, and collecting them in between takes a third
// of the time. Who sets GOGC knows better.
func roomy() (restore func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(200)
	return func() { debug.SetGCPercent(before) }
}
