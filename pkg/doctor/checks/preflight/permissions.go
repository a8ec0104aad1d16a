package preflight

import (
	"context"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

const permissionsID = "preflight/permissions"

var Permissions = &doctor.Check{
	ID:    permissionsID,
	Title: "You have the permissions that an install needs",
	Why: "An install creates namespaces, CRDs, ClusterRoles and webhooks. Without permission for one of them it would stop half-way: the check " +
		"asks the API server for each kind before anything is created.",
	FixNote:   "No automatic fix: ask for the role cluster-admin; on AKS with Azure RBAC, Azure Kubernetes Service RBAC Cluster Admin.",
	Sources:   []string{"https://learn.microsoft.com/azure/aks/manage-azure-rbac"},
	Preflight: true,
	Run:       func(_ context.Context, e doctor.Exam) ([]doctor.Finding, error) { return blocked(e, permissionsID) },
}
