package platform

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/pod-security-admission/api"
	podsecurity "k8s.io/pod-security-admission/policy"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// podSecurityRules returns the Pod Security Standards as this cluster's API server has them: a namespace without
// enforce-version means those of the server's own version.
func podSecurityRules(ctx context.Context, e doctor.Exam) (podsecurity.Evaluator, error) {
	server, err := e.Version(ctx)
	if _, ok := errors.AsType[*cluster.ErrUnknowable](err); ok {
		return podsecurity.NewEvaluator(podsecurity.DefaultChecks(), nil)
	}
	if err != nil {
		return nil, err
	}
	parsed, err := version.ParseGeneric(server.GitVersion)
	if err != nil {
		return nil, err
	}
	newest := api.MajorMinorVersion(int(parsed.Major()), int(parsed.Minor()))
	return podsecurity.NewEvaluator(podsecurity.DefaultChecks(), &newest)
}

// violations returns how a workload's pods violate a level, as the API server words it.
func violations(rules podsecurity.Evaluator, at api.LevelVersion, workload *unstructured.Unstructured) ([]string, error) {
	spec, err := workloads.PodSpec(workload, "spec", "template", "spec")
	if err != nil {
		return nil, err
	}
	annotations, _, _ := unstructured.NestedStringMap(workload.Object, "spec", "template", "metadata", "annotations")
	var reasons []string
	for _, result := range rules.EvaluatePod(at, &metav1.ObjectMeta{Annotations: annotations}, &spec) {
		if !result.Allowed {
			reasons = append(reasons, result.ForbiddenReason)
		}
	}
	return reasons, nil
}
