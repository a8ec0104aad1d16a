package release

import (
	"errors"
	"fmt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// lock sets a request's hash to the locked one, if this program has no pin for the address. Content with
// a hash is read from the cache first, so that a build can be repeated without network.
func (r *rendering) lock(request *archive.Request) (locked bool, err error) {
	if request.Hash != "" {
		return false, nil
	}
	if hash := r.options.Locked[redact.URL(request.URL)]; hash != "" {
		request.Hash = hash
		return true, nil
	}
	if r.options.OnlyLocked && !r.options.SkipVerify {
		return false, &problem.Error{Usage: true, What: fmt.Sprintf("%s is not in the lock file", redact.URL(request.URL)),
			Next: "Write it there with: kubectl kubeflow build --dir DIR"}
	}
	return false, nil
}

// A ChangedError is returned when an address's content does not match the lock.
type ChangedError struct{ Now, Locked string }

// Error names both hashes.
func (e *ChangedError) Error() string {
	return fmt.Sprintf("its hash is %s, and was %s", e.Now, e.Locked)
}

// changed turns a mismatch of a locked address into a ChangedError.
func changed(err error, locked bool) error {
	var mismatch *archive.MismatchError
	if !locked || !errors.As(err, &mismatch) {
		return err
	}
	return &problem.Error{
		Usage: true,
		What:  mismatch.URL + " has changed since it was locked", Err: &ChangedError{Now: mismatch.Got, Locked: mismatch.Want},
		Next: "Look at what has changed there; to take it: kubectl kubeflow build --dir DIR --update",
	}
}
