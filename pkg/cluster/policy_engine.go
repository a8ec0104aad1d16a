package cluster

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// policyEngines are the DaemonSets that enforce NetworkPolicies, by the names they have on AKS and elsewhere.
var policyEngines = []struct{ namespace, daemonSet, engine string }{
	{"kube-system", "cilium", "Cilium"},
	{"kube-system", "azure-npm", "Azure Network Policy Manager"},
	{"calico-system", "calico-node", "Calico"}, // installed by AKS or by the Tigera operator
	{"kube-system", "calico-node", "Calico"},   // installed from Calico's manifests, and by AKS before 1.21
}

// PolicyEngine returns the name of what enforces NetworkPolicies on a cluster, "" when nothing known does. It returns an
// error when it found none and could not look everywhere.
func PolicyEngine(ctx context.Context, view View) (string, error) {
	var unread error
	questions := PolicyEngineQuestions()
	Ahead(ctx, view, questions...)
	for i, known := range policyEngines {
		_, err := view.Get(ctx, questions[i].Ref)
		if err == nil {
			return known.engine, nil
		}
		if !apierrors.IsNotFound(err) && unread == nil {
			unread = err
		}
	}
	return "", unread
}

// PolicyEngineQuestions returns what [PolicyEngine] asks.
func PolicyEngineQuestions() []Question {
	questions := make([]Question, len(policyEngines))
	for i, known := range policyEngines {
		questions[i].Ref = Ref{APIVersion: "apps/v1", Kind: "DaemonSet", Namespace: known.namespace, Name: known.daemonSet}
	}
	return questions
}
