// Package problem has the error that a person can act on. Every other package returns it where it knows what to do next;
// cmd/kubectl-kubeflow alone prints it and chooses the exit code.
package problem

// An Error is an error that a person can act on: one sentence of what happened, one of what to do next.
type Error struct {
	What    string // "the cluster cannot be reached at https://…"
	Next    string // "Check the current context with: kubectl config current-context"; "" when waiting is right
	Command string // the command that Next ends with, where Next does not include it
	Err     error  // the cause; may be nil
	Usage   bool   // the command line, or a file that it names, has to be corrected first: the exit code is 2
}

// Error returns what happened. A usage error includes its cause; What of the others already does where it helps.
func (e *Error) Error() string {
	if e.Usage && e.Err != nil {
		return e.What + ": " + e.Err.Error()
	}
	return e.What
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Advice returns what to do next, with the command.
func (e *Error) Advice() string {
	if e.Command == "" {
		return e.Next
	}
	return e.Next + ": " + e.Command
}
