//go:build unix

package install

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

const rejectedTemplate = `selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: example.org/a}]}}`

// TestRejectedPodsEndAnInstall has, for each way in which a server rejects pods, one kind of workload.
func TestRejectedPodsEndAnInstall(t *testing.T) {
	for _, c := range []struct{ name, rules, workload, cause, advice string }{
		{"quota-on-deployment",
			`{apiVersion: v1, kind: ResourceQuota, metadata: {name: small, namespace: NS}, spec: {hard: {pods: "0"}}}`,
			`{apiVersion: apps/v1, kind: Deployment, metadata: {name: big, namespace: NS}, spec: {` + rejectedTemplate + `}}`,
			"Deployment/NS/big cannot create its pods: the pod is forbidden: exceeded quota: small", "kubectl describe resourcequota -n NS"},
		{"quota-on-second-replica",
			`{apiVersion: v1, kind: ResourceQuota, metadata: {name: small, namespace: NS}, spec: {hard: {pods: "1"}}}`,
			`{apiVersion: apps/v1, kind: Deployment, metadata: {name: big, namespace: NS}, spec: {replicas: 2, ` + rejectedTemplate + `}}`,
			"Deployment/NS/big cannot create its pods: the pod is forbidden: exceeded quota: small", "kubectl describe resourcequota -n NS"},
		{"quota-demands-limits",
			`{apiVersion: v1, kind: ResourceQuota, metadata: {name: small, namespace: NS}, spec: {hard: {limits.cpu: "4"}}}`,
			`{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: big, namespace: NS}, spec: {serviceName: a, ` + rejectedTemplate + `}}`,
			"StatefulSet/NS/big cannot create its pods: the pod is forbidden: failed quota: small: must specify limits.cpu", "LimitRange with defaults"},
		{"pod-security-on-daemonset",
			`{apiVersion: v1, kind: Namespace, metadata: {name: NS, labels: {pod-security.kubernetes.io/enforce: restricted}}}`,
			`{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: big, namespace: NS}, spec: {` + rejectedTemplate + `}}`,
			`DaemonSet/NS/big cannot create its pods: the pod is forbidden: violates PodSecurity "restricted:latest": a`, "pod-security.kubernetes.io/enforce"},
		{"limit-range-on-job",
			`{apiVersion: v1, kind: LimitRange, metadata: {name: low, namespace: NS}, spec: {limits: [{type: Container, max: {cpu: 100m}}]}}`,
			`{apiVersion: batch/v1, kind: Job, metadata: {name: big, namespace: NS}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: example.org/a, resources: {limits: {cpu: "1"}}}]}}}}`,
			"Job/NS/big cannot create its pods: the pod is forbidden: maximum cpu usage per Container is 100m", "kubectl describe limitrange -n NS"},
		{"policy-on-deployment",
			`{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: NS}, spec: {matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}], namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NS}}}, validations: [{expression: "false", message: "no pods here"}]}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: NS}, spec: {policyName: NS, validationActions: [Deny]}}`,
			`{apiVersion: apps/v1, kind: Deployment, metadata: {name: big, namespace: NS}, spec: {` + rejectedTemplate + `}}`,
			"Deployment/NS/big cannot create its pods: the pod is forbidden: ValidatingAdmissionPolicy 'NS' with binding 'NS' denied request: no pods here", "exempt the namespace NS"},
		{"made-invalid-by-defaults",
			`{apiVersion: v1, kind: LimitRange, metadata: {name: low, namespace: NS}, spec: {limits: [{type: Container, default: {cpu: 100m, memory: 1Mi}}]}}`,
			`{apiVersion: apps/v1, kind: Deployment, metadata: {name: big, namespace: NS}, spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: example.org/a, resources: {requests: {cpu: "1", memory: 1Gi}}}]}}}}`,
			"Deployment/NS/big cannot create its pods: the pod is invalid: spec.containers[0].resources.requests: Invalid value", "such as a sidecar injector"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := func(s string) string { return strings.ReplaceAll(s, "NS", c.name) }
			client := live(t)
			namespace := "{apiVersion: v1, kind: Namespace, metadata: {name: NS}}\n---\n"
			if strings.Contains(c.rules, "kind: Namespace") {
				namespace = ""
			}
			if _, err := runUnlocked(t, client, planOf(t, client, c.name+"-rules", in(namespace+c.rules)), apply.Options{Timeout: time.Minute}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second) // policies and quotas take effect with a delay
			waits := map[string]int{}
			began := time.Now()
			_, err := runUnlocked(t, client, planOf(t, client, c.name, in(c.workload)), apply.Options{Timeout: 3 * time.Minute, Observe: func(e events.Event) {
				if w, ok := e.(events.StillWaiting); ok {
					waits[w.Why]++
				}
			}})
			var failure *problem.Error
			if !errors.As(err, &failure) || errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(failure.What, in(c.cause)) || !strings.Contains(failure.Next, in(c.advice)) {
				t.Fatalf("want %q with the advice %q, got after %s: %#v", in(c.cause), in(c.advice), time.Since(began), err)
			}
			if took := time.Since(began); took > 45*time.Second {
				t.Errorf("the run ended after %s", took)
			}
			if len(failure.What) > 300 {
				t.Errorf("the message has %d characters: %s", len(failure.What), failure.What)
			}
			for why := range waits {
				if len([]rune(why)) > 250 {
					t.Errorf("a line of %d characters: %s", len(why), why)
				}
			}
			if len(waits) > 5 {
				t.Errorf("the reason changes with each try: %v", waits)
			}
		})
	}
}

// TestPodsThatAreRejectedForAMomentAreWaitedFor has a quota that is raised within the grace.
func TestPodsThatAreRejectedForAMomentAreWaitedFor(t *testing.T) {
	t.Parallel()
	client := live(t)
	quota := func(pods string) string {
		return `{apiVersion: v1, kind: Namespace, metadata: {name: raised}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: small, namespace: raised}, spec: {hard: {pods: "` + pods + `"}}}`
	}
	if _, err := runUnlocked(t, client, planOf(t, client, "raised-quota", quota("0")), apply.Options{Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	raised := planOf(t, client, "raised-quota", quota("5"))
	done := make(chan error, 1)
	time.AfterFunc(6*time.Second, func() {
		_, err := runUnlocked(t, client, raised, apply.Options{Timeout: time.Minute})
		done <- err
	})
	_, err := runUnlocked(t, client, planOf(t, client, "raised", `{apiVersion: apps/v1, kind: Deployment, metadata: {name: big, namespace: raised}, spec: {`+rejectedTemplate+`}}`), apply.Options{Timeout: 2 * time.Minute})
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
}
