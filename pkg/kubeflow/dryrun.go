package kubeflow

import "errors"

// A DryRun says how far a use case that writes goes without writing.
type DryRun string

// The modes, as --dry-run names them.
const (
	DryRunNone   DryRun = "none"   // prepare in order to apply; "" is the same
	DryRunClient DryRun = "client" // show the plan
	DryRunServer DryRun = "server" // ask the server about each object as well
)

// writes reports whether the plan may be applied.
func (d DryRun) writes() bool { return d == "" || d == DryRunNone }

// errDryRun is for who applies a plan that was prepared to be shown: not everything was looked at.
var errDryRun = errors.New("the plan was prepared as a dry run")
