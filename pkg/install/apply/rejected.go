package apply

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// rejectionGrace is how long the server may reject a workload's pods: a quota, a policy or a webhook that is being changed takes
// effect with a delay, and controllers try again after a pause that doubles.
const rejectionGrace = 15 * time.Second

// stopOnRejection ends the run when the server has been rejecting a workload's pods for longer than a grace. message is its last
// answer, "" when it does not reject them.
func (e *engine) stopOnRejection(it *item, message string) {
	it.rejected = message != ""
	switch {
	case !it.rejected, e.rejectionMayPass(message):
		it.rejectedFrom = time.Time{}
	case it.rejectedFrom.IsZero():
		it.rejectedFrom = time.Now()
	case time.Since(it.rejectedFrom) > rejectionGrace:
		e.failed = &problem.Error{What: fmt.Sprintf("%s cannot create its pods: %s", it.Ref(), kube.Cause(message)),
			Next: rejectionAdvice(message, it.Ref().Namespace) + ", then run the same command again: it resumes from here"}
	}
}

// rejectionMayPass reports whether a server of webhooks that this run installs is still starting: pods that are invalid or denied now
// may be changed or admitted by the webhook of the version that comes. A quota or a level of Pod Security stays as it is.
func (e *engine) rejectionMayPass(message string) bool {
	if strings.Contains(message, " quota") || strings.Contains(message, "violates PodSecurity ") {
		return false
	}
	return slices.ContainsFunc(e.items, func(it *item) bool {
		return it.OpensGate && !it.ready && !it.rejected && plan.PodTemplate(it.Object) != nil
	})
}

// rejectionAdvice says what to do about the rejection of pods in a namespace.
func rejectionAdvice(message, namespace string) string {
	switch {
	case strings.Contains(message, "must specify"):
		return fmt.Sprintf("A ResourceQuota of namespace %s demands requests or limits of every container: change the quota, or add a LimitRange with defaults to the namespace", namespace)
	case strings.Contains(message, " quota"):
		return fmt.Sprintf("Raise or delete the ResourceQuota (kubectl describe resourcequota -n %s)", escape.Word(namespace))
	case strings.Contains(message, "violates PodSecurity "):
		return fmt.Sprintf("Namespace %s enforces a Pod Security level that these pods do not meet: change its label pod-security.kubernetes.io/enforce, or leave out this component with --skip", namespace)
	case strings.Contains(message, "per Container is"), strings.Contains(message, "per Pod is"), strings.Contains(message, "limit to request ratio"):
		return fmt.Sprintf("Change the LimitRange (kubectl describe limitrange -n %s)", escape.Word(namespace))
	case strings.Contains(message, "denied"):
		return "Change the policy or webhook that denies these pods, or exempt the namespace " + namespace + " from it"
	case strings.Contains(message, " is invalid: "):
		return "Correct the manifest, or the webhook that changes these pods when they are created (such as a sidecar injector)"
	}
	return "Change what forbids these pods in namespace " + namespace
}
