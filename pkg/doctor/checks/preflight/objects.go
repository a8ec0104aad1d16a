package preflight

import (
	"context"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const objectsID = "preflight/objects"

var Objects = &doctor.Check{
	ID:    objectsID,
	Title: "The API server accepts the objects of the install",
	Why: "Objects that exist and have to change may have fields that cannot be changed in place, a namespace may be terminating, and a second " +
		"complete Kubeflow would fight the first. The check asks the API server with dry runs, which write nothing.",
	FixNote:   "No automatic fix: the finding says which object, and whether install --recreate helps.",
	Sources:   []string{"https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run"},
	Preflight: true,
	Run:       func(_ context.Context, e doctor.Exam) ([]doctor.Finding, error) { return blocked(e, objectsID) },
}
