package cli

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
)

// requests is the verbosity at which requests are logged, as in kubectl. Higher ones would log bodies, and with them secrets.
const requests = 6

// AddVerbosity adds -v and -q.
func (d *Deps) AddVerbosity(f *pflag.FlagSet) {
	f.IntVarP(&d.Verbosity, "v", "v", 0, "`LEVEL` of detail: -v shows everything, -v=6 also logs the requests to the API server with their times")
	f.Lookup("v").NoOptDefVal = "1"
	f.BoolVarP(&d.Quiet, "quiet", "q", false, "print no notices, and the shortest result")
}

// JoinValues makes "-v 6" "-v=6" and "--dry-run client" "--dry-run=client", as people write them: these flags may also have no value.
func JoinValues(args []string) []string {
	var joined []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(joined, args[i:]...)
		}
		if i+1 < len(args) && belongs(args[i], args[i+1]) {
			joined = append(joined, args[i]+"="+args[i+1])
			i++
			continue
		}
		joined = append(joined, args[i])
	}
	return joined
}

// belongs reports whether an argument is the value of the flag before it.
func belongs(flag, value string) bool {
	switch flag {
	case "-v", "--v":
		_, err := strconv.Atoi(value)
		return err == nil
	case "--dry-run":
		return slices.Contains([]string{"none", "client", "server"}, value)
	}
	return false
}

// LogRequests makes client-go log each request with its status and time, if -v says so. Without it nothing of client-go's log,
// which is for its developers, is shown.
func (d *Deps) LogRequests() {
	if d.Verbosity < requests {
		return
	}
	klog.ClearLogger()
	klog.LogToStderr(false)
	klog.SetOutput(errOut{d})
	var level klog.Level
	_ = level.Set(strconv.Itoa(requests)) // a number
}

// errOut is the error stream as it is when something is written: an install with -o json makes events of it.
type errOut struct{ d *Deps }

// Write writes the lines about responses, which have the verb, the URL, the status and the time, and drops client-go's other lines.
func (e errOut) Write(p []byte) (int, error) {
	if !bytes.Contains(p, []byte(`"Response" verb=`)) {
		return len(p), nil
	}
	return e.d.ErrOut.Write(p)
}
