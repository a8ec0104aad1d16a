package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// All returns every check, in the order in which people see them: causes before what they cause.
func All() []*doctor.Check {
	return []*doctor.Check{
		kubernetesVersion,
		removedAPIs,
		networkPolicies,
		ownership,
		oneOfEach,
		deploymentSafeguards,
		podSecurity,
		admissionsEnforcer,
		webhooks,
		nodesReady,
		clock,
		containerRuntime,
		architecture,
		taints,
		podSlots,
		capacity,
		fileWatches,
		gpuPlugin,
		gpuPool,
		defaultClass,
		claims,
		attachments,
		legacyAzure,
		certManager,
		caBundles,
		expiry,
		pipelinesCache,
		signIn,
		signInPassword,
		signInSecrets,
		tokenIssuer,
		oneIstio,
		cni,
		cilium,
		googleServices,
		sidecars,
		destinationRules,
		executor,
		workflowController,
		objectStore,
		database,
		metadataStore,
		pipelineImages,
		imagePulls,
		gpuTolerations,
		pipelinesToken,
		mpiOperator,
		mpiOwners,
		endpoint,
		exposedPolicy,
		loadBalancer,
		authentication,
		targetPort,
		healthProbe,
		secureCookies,
		exposedTLS,
		profiles,
		profileParts,
		namespaceDeletion,
		quotas,
		leftOvers,
		skew,
		crashes,
	}
}

// An UnknownIDError names a check that does not exist.
type UnknownIDError struct{ ID, Near string }

func (e *UnknownIDError) Error() string { return fmt.Sprintf("there is no check %q", e.ID) }

// Find returns the checks with these IDs in the order of the list; without IDs, all of them.
// An area ("mesh") stands for all of its checks.
func Find(ids ...string) ([]*doctor.Check, error) {
	all := All()
	if len(ids) == 0 {
		return all, nil
	}
	wanted := map[*doctor.Check]bool{}
	for _, id := range ids {
		found := false
		for _, c := range all {
			if c.ID == id || c.Area() == id {
				wanted[c], found = true, true
			}
		}
		if !found {
			return nil, &UnknownIDError{ID: id, Near: nearest(id, all)}
		}
	}
	return slices.DeleteFunc(all, func(c *doctor.Check) bool { return !wanted[c] }), nil
}

// nearest returns the ID that takes the fewest changes of a letter to be reached, with or without its area.
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
