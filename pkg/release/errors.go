package release

import (
	"errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kustomization"
)

// An InputError is a fault in what the user gave: a file, a flag or an archive. It says what
// happened and what to do about it, each in one sentence.
type InputError struct {
	What string
	Do   string
	Err  error
}

// Happened is the sentence of what happened, with its cause.
func (e *InputError) Happened() string {
	if e.Err == nil {
		return e.What
	}
	return e.What + ": " + e.Err.Error()
}

// Error joins both sentences.
func (e *InputError) Error() string {
	text := e.Happened()
	if e.Do != "" {
		text += "; " + e.Do
	}
	return text
}

// Unwrap gives the cause.
func (e *InputError) Unwrap() error { return e.Err }

// plain says what to do about the faults that lower layers know.
func plain(err error, o RenderOptions) error {
	var input *InputError
	var mismatch *archive.MismatchError
	var broken *archive.BadArchiveError
	var missing *archive.NotFoundError
	var reference *kustomization.ReferenceError
	var fault *kustomization.FaultError
	var build *kustomization.BuildError
	switch {
	case errors.As(err, &input):
		return err
	case errors.As(err, &mismatch):
		return &InputError{What: "the archive is not the one that was pinned", Err: err,
			Do: "fetch it again from where it was published, or take it as it is with --skip-verify"}
	case errors.As(err, &broken):
		return &InputError{What: "the source cannot be used", Err: err, Do: "get it again, or from another place with --mirror"}
	case errors.As(err, &missing) && o.Mirror != "" && len(missing.Tried) == 0:
		return &InputError{What: missing.Error(), Do: "name the folder or the URL that holds the archives, or leave --mirror out"}
	case errors.As(err, &missing) && o.Mirror != "":
		return &InputError{What: "the mirror is not complete", Err: err, Do: "put the file there, or leave --mirror out"}
	case errors.As(err, &missing):
		return &InputError{What: "the address leads nowhere", Err: err, Do: "check it, or name a --mirror that has it"}
	case errors.As(err, &reference) && !reference.Fetched:
		return &InputError{What: "a kustomization cannot be built", Err: reference, Do: "copy what it refers to beside it, or change the reference"}
	case errors.As(err, &fault):
		return &InputError{What: "a kustomization cannot be built", Err: fault, Do: fault.Do}
	case errors.As(err, &build):
		return &InputError{What: "a kustomization cannot be built", Err: build, Do: "correct it; kubectl kustomize shows whether it builds"}
	}
	return err
}
