package release

import (
	"errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kustomization"
)

// plain adds the next step for the user to errors of lower layers.
func plain(err error, o RenderOptions) error {
	var input *problem.Error
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
		return &problem.Error{Usage: true, What: "the archive is not the one that was pinned", Err: err,
			Next: "Fetch it again from where it was published, or accept it with --skip-verify"}
	case errors.As(err, &broken):
		return &problem.Error{Usage: true, What: "the source cannot be used", Err: err, Next: "Get it again, or from another place with --mirror"}
	case errors.As(err, &missing) && o.Mirror != "" && len(missing.Tried) == 0:
		return &problem.Error{Usage: true, What: missing.Error(), Next: "Name the folder or the URL that holds the archives, or leave --mirror out"}
	case errors.As(err, &missing) && o.Mirror != "":
		return &problem.Error{Usage: true, What: "the mirror is not complete", Err: err, Next: "Put the file there, or leave --mirror out"}
	case errors.As(err, &missing):
		return &problem.Error{Usage: true, What: "the URL was not found", Err: err, Next: "Check it, or name a --mirror that has it"}
	case errors.As(err, &reference) && errors.Is(err, kustomization.ErrOutside):
		return &problem.Error{Usage: true, What: "a kustomization cannot be built", Err: reference,
			Next: "Copy the file into the folder, or permit it with --load-restrictor LoadRestrictionsNone"}
	case errors.As(err, &reference) && !reference.Fetched:
		return &problem.Error{Usage: true, What: "a kustomization cannot be built", Err: reference, Next: "Copy what it refers to beside it, or change the reference"}
	case errors.As(err, &fault):
		return &problem.Error{Usage: true, What: "a kustomization cannot be built", Err: fault, Next: fault.Next}
	case errors.As(err, &build):
		return &problem.Error{Usage: true, What: "a kustomization cannot be built", Err: build, Next: "Correct it; kubectl kustomize shows whether it builds"}
	}
	return err
}
