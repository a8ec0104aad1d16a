package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/auth"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/certificates"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/controllers"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/exposure"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/installation"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/manifests"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/mesh"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/nodes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/notebooks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/pipelines"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/platform"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/pods"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/preflight"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/references"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/storage"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/team"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/tenancy"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/training"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/upgrades"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// Every returns all checks: those of an install's plan, and [All].
func Every() []*doctor.Check {
	return append([]*doctor.Check{
		preflight.APIs,
		preflight.Permissions,
		preflight.Objects,
		preflight.Quotas,
		preflight.AKS,
		platform.Automatic,
		platform.AdmissionPolicies,
	}, All()...)
}

// Preflight returns the checks before an install.
func Preflight() []*doctor.Check {
	return slices.DeleteFunc(Every(), func(c *doctor.Check) bool { return !c.Preflight })
}

// All returns the checks that apply to what is installed, in the order in which they are reported: causes before their effects.
func All() []*doctor.Check {
	return []*doctor.Check{
		installation.Complete,
		installation.Drift,
		platform.KubernetesVersion,
		platform.RemovedAPIs,
		manifests.Valid,
		platform.NetworkPolicies,
		platform.Ownership,
		platform.OneOfEach,
		platform.OneController,
		platform.DeploymentSafeguards,
		platform.PodSecurity,
		platform.AdmissionsEnforcer,
		platform.Webhooks,
		platform.WebhookPolicies,
		references.Names,
		nodes.Ready,
		nodes.Clock,
		nodes.ContainerRuntime,
		nodes.Architecture,
		nodes.Taints,
		nodes.PodSlots,
		nodes.Capacity,
		nodes.FileWatches,
		nodes.GpuPlugin,
		nodes.GpuPool,
		storage.DefaultClass,
		storage.Claims,
		storage.Attachments,
		storage.LegacyAzure,
		certificates.CertManager,
		certificates.CaBundles,
		certificates.Expiry,
		certificates.PipelinesCache,
		auth.SignIn,
		auth.Password,
		auth.Secrets,
		auth.TokenIssuer,
		mesh.OneIstio,
		mesh.Cni,
		mesh.Cilium,
		mesh.GoogleServices,
		mesh.Sidecars,
		mesh.DestinationRules,
		pipelines.Executor,
		pipelines.WorkflowController,
		pipelines.ObjectStore,
		pipelines.ProfileKeys,
		pipelines.Database,
		pipelines.MetadataStore,
		pipelines.Images,
		pipelines.ImagePulls,
		notebooks.GpuTolerations,
		notebooks.PipelinesToken,
		notebooks.Culling,
		notebooks.VolumeMounts,
		training.MpiOperator,
		training.MpiOwners,
		exposure.Endpoint,
		exposure.NetworkPolicy,
		exposure.LoadBalancer,
		exposure.Authentication,
		exposure.TargetPort,
		exposure.HealthProbe,
		exposure.SecureCookies,
		exposure.TLS,
		tenancy.Profiles,
		tenancy.ProfileParts,
		tenancy.Contributors,
		tenancy.NamespaceDeletion,
		tenancy.Quotas,
		controllers.Conditions,
		team.Workloads,
		team.PodDefaults,
		upgrades.LeftOvers,
		upgrades.Skew,
		pods.Finished,
		pods.Crashes,
		pods.Ready,
		workloads.Available,
	}
}

// In returns the checks that are part of the diagnosis of a namespace; of a whole cluster if it is "".
func In(namespace string, list []*doctor.Check) []*doctor.Check {
	return slices.DeleteFunc(slices.Clone(list), func(c *doctor.Check) bool { return !c.In(namespace) })
}

// An UnknownIDError names a check that does not exist.
type UnknownIDError struct{ ID, Near string }

func (e *UnknownIDError) Error() string { return fmt.Sprintf("there is no check %q", e.ID) }

// Find returns the checks with these IDs or codes in the order of the list; without IDs, [All].
// An area ("mesh") selects all of its checks.
func Find(ids ...string) ([]*doctor.Check, error) {
	if len(ids) == 0 {
		return All(), nil
	}
	all := Every()
	wanted := map[*doctor.Check]bool{}
	for _, id := range ids {
		found := false
		for _, c := range all {
			if c.ID == id || c.Area() == id || c.Code() != "" && c.Code() == id {
				wanted[c], found = true, true
			}
		}
		if !found {
			return nil, &UnknownIDError{ID: id, Near: nearest(id, all)}
		}
	}
	return slices.DeleteFunc(all, func(c *doctor.Check) bool { return !wanted[c] }), nil
}

// nearest returns the ID with the smallest edit distance, with or without its area.
func nearest(id string, all []*doctor.Check) string {
	best, fewest := "", len(id)/2+2
	for _, c := range all {
		_, name, _ := strings.Cut(c.ID, "/")
		if d := min(levenshtein.ComputeDistance(id, c.ID), levenshtein.ComputeDistance(id, name)); d < fewest {
			best, fewest = c.ID, d
		}
	}
	return best
}
