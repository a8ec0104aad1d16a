//go:build unix

package install

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/explain"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/preflight"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// The webhook of this manifest has a Deployment that cannot be scheduled. It intercepts the Secrets of one namespace.
const unschedulable = `
{apiVersion: v1, kind: Namespace, metadata: {name: unschedulable, labels: {guarded-by: unschedulable}}}
---
{apiVersion: v1, kind: Service, metadata: {name: unschedulable, namespace: unschedulable}, spec: {selector: {app: unschedulable}, ports: [{port: 443}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: unschedulable, namespace: unschedulable}, spec: {selector: {matchLabels: {app: unschedulable}}, template: {metadata: {labels: {app: unschedulable}}, spec: {nodeSelector: {moon: "yes"}, containers: [{name: a, image: example.org/a}]}}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: unschedulable}
webhooks:
- name: unschedulable.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {caBundle: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJlRENDQVIrZ0F3SUJBZ0lVTjZSNlgvcWdIRnVQRmlQTzBtUmZTZzJueXNnd0NnWUlLb1pJemowRUF3SXcKRVRFUE1BMEdBMVVFQXd3R1lTMTBaWE4wTUNBWERUSTJNVEV5TkRBd016a3lNbG9ZRHpJeE1qWXhNRE14TURBegpPVEl5V2pBUk1ROHdEUVlEVlFRRERBWmhMWFJsYzNRd1dUQVRCZ2NxaGtqT1BRSUJCZ2dxaGtqT1BRTUJCd05DCkFBUUJOVXY2RmRBaFkxclpMSHlFejUrVDlNS0xlRGNwYXhwMEhoeHpNZ1drUXhZQUJkQjZXRUw1LzR2UHdmN1oKOVBnaTRod0dPZmgweHU0RFBmRWc5bjIrbzFNd1VUQWRCZ05WSFE0RUZnUVVwbVpSd2lPZ0hRWTJpS3JFSjJiVApKZjk2WnhJd0h3WURWUjBqQkJnd0ZvQVVwbVpSd2lPZ0hRWTJpS3JFSjJiVEpmOTZaeEl3RHdZRFZSMFRBUUgvCkJBVXdBd0VCL3pBS0JnZ3Foa2pPUFFRREFnTkhBREJFQWlBOUFoTndOYzJ5ZC9td1hrdnFRYklUUjI5eFQ3cVAKTmI5MG1kalVuNlludUFJZ1gvOVMra0RUR1lXcGN3VkZ0bkFJSWVDaE5IVmVoVG9WYW1Za1dseXFJL0U9Ci0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K, service: {name: unschedulable, namespace: unschedulable}}
  namespaceSelector: {matchLabels: {guarded-by: unschedulable}}
  rules: [{apiGroups: [""], apiVersions: [v1], resources: [secrets], operations: [CREATE, UPDATE]}]
`

const interceptedSecret = `
---
{apiVersion: v1, kind: Secret, metadata: {name: guarded, namespace: unschedulable}}
`

func TestAWebhookThatNeverBecomesReadyIsReportedWithItsReason(t *testing.T) {
	t.Parallel()
	client := live(t)
	var mu sync.Mutex
	var reasons []string
	_, err := runUnlocked(t, client, planOf(t, client, "unschedulable", unschedulable+interceptedSecret), apply.Options{Timeout: 14 * time.Second, Observe: func(e events.Event) {
		if w, ok := e.(events.StillWaiting); ok {
			mu.Lock()
			defer mu.Unlock()
			reasons = append(reasons, w.Why)
		}
	}})
	var unfinished *apply.UnfinishedError
	if !errors.As(err, &unfinished) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("want an unfinished install, got: %v", err)
	}
	const want = "waits for unschedulable.example.org: Deployment unschedulable 0/1 ready, the pod cannot be scheduled: "
	if !strings.Contains(err.Error(), "Secret/unschedulable/guarded: "+want) {
		t.Errorf("want %q in:\n%v", want, err)
	}
	if all := strings.Join(reasons, "\n"); !strings.Contains(all, "0/1 ready, the pod cannot be scheduled: ") {
		t.Errorf("the reason was not reported while waiting:\n%s", all)
	}
}

func TestAnotherUsersWebhookWithoutEndpointsStopsTheInstall(t *testing.T) {
	t.Parallel()
	client := live(t)
	theirs := strings.ReplaceAll(unschedulable, "unschedulable", "left-over")
	theirs = strings.Replace(theirs, "spec: {selector: {matchLabels", "spec: {replicas: 0, selector: {matchLabels", 1)
	if _, err := runUnlocked(t, client, planOf(t, client, "left-over-theirs", theirs), apply.Options{Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	ours := strings.ReplaceAll("{apiVersion: v1, kind: ConfigMap, metadata: {name: free, namespace: unschedulable}}"+interceptedSecret, "unschedulable", "left-over")
	_, err := runUnlocked(t, client, planOf(t, client, "left-over-ours", ours), apply.Options{Timeout: 2 * time.Minute})
	var failure *problem.Error
	if !errors.As(err, &failure) || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(failure.What, "left-over.example.org: Deployment left-over is scaled to zero") {
		t.Fatalf("want a problem that names the webhook, got: %v", err)
	}
	if want := "kubectl delete validatingwebhookconfiguration.admissionregistration.k8s.io left-over"; !strings.Contains(failure.Next, want) {
		t.Errorf("want the advice %q, got: %s", want, failure.Next)
	}
}

func TestAnotherUsersWebhookWithFailurePolicyIgnoreDelaysNothing(t *testing.T) {
	t.Parallel()
	client := live(t)
	theirs := strings.ReplaceAll(strings.ReplaceAll(unschedulable, "unschedulable", "ignored"), "failurePolicy: Fail", "failurePolicy: Ignore")
	theirs = strings.Replace(theirs, "spec: {selector: {matchLabels", "spec: {replicas: 0, selector: {matchLabels", 1)
	if _, err := runUnlocked(t, client, planOf(t, client, "ignored-theirs", theirs), apply.Options{Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	ours := strings.ReplaceAll("{apiVersion: v1, kind: ConfigMap, metadata: {name: free, namespace: unschedulable}}"+interceptedSecret, "unschedulable", "ignored")
	if _, err := runUnlocked(t, client, planOf(t, client, "ignored-ours", ours), apply.Options{Timeout: 2 * time.Minute}); err != nil {
		t.Fatal(err)
	}
}

func TestACRDWithConflictingNamesIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	client := live(t)
	const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: PLURAL.taken.example.org}
spec:
  group: taken.example.org
  scope: Namespaced
  names: {kind: Letter, plural: PLURAL, singular: SINGULAR, listKind: LetterList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`
	named := func(plural, singular string) string {
		return strings.NewReplacer("PLURAL", plural, "SINGULAR", singular).Replace(definition)
	}
	if _, err := runUnlocked(t, client, planOf(t, client, "taken-first", named("letters", "letter")), apply.Options{Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	_, err := runUnlocked(t, client, planOf(t, client, "taken-second", named("notes", "note")), apply.Options{Timeout: 2 * time.Minute})
	var failure *problem.Error
	if !errors.As(err, &failure) || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(failure.What, "CustomResourceDefinition/notes.taken.example.org cannot be used") || !strings.Contains(failure.What, "LetterList") {
		t.Fatalf("want a problem that names the CRD and the conflicting name, got: %v", err)
	}
}

func TestARejectedObjectNamesThePolicyOrQuota(t *testing.T) {
	t.Parallel()
	client := live(t)
	const policies = `
{apiVersion: v1, kind: Namespace, metadata: {name: strict, labels: {strict: "yes"}}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: none, namespace: strict}, spec: {hard: {count/secrets: "0"}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: strict}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], resources: [serviceaccounts], operations: [CREATE, UPDATE]}], namespaceSelector: {matchLabels: {strict: "yes"}}}
  validations: [{expression: "'owner' in object.metadata.?labels.orValue({})", message: "every account has a label owner"}]
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: strict}, spec: {policyName: strict, validationActions: [Deny]}}
`
	if _, err := runUnlocked(t, client, planOf(t, client, "strict-policies", policies), apply.Options{Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	rejected := func(kind, want string) {
		yaml := "{apiVersion: v1, kind: " + kind + ", metadata: {name: a, namespace: strict}}"
		for attempt := 0; ; attempt++ { // policies and quotas take effect with a delay
			client := live(t)
			_, err := runUnlocked(t, client, planOf(t, client, "strict-"+strings.ToLower(kind), yaml), apply.Options{Timeout: time.Minute})
			var failure *problem.Error
			if errors.As(err, &failure) && strings.Contains(failure.What, kind+"/strict/a") && strings.Contains(failure.What, want) {
				if !strings.Contains(failure.Next, "A policy of the cluster denies it") && !strings.Contains(failure.Next, "a quota, a policy or a webhook") && !strings.Contains(failure.Next, "Fix this, then run") {
					t.Errorf("the advice is: %s", failure.Next)
				}
				return
			}
			if attempt == 20 {
				t.Fatalf("want a problem with %q, got: %v", want, err)
			}
			if o, gone := client.View().Get(t.Context(), cluster.Ref{APIVersion: "v1", Kind: kind, Namespace: "strict", Name: "a"}); gone == nil {
				_, _ = client.Do(t.Context(), cluster.Change{Verb: cluster.Delete, Before: o}, cluster.Options{Manager: inventory.Manager})
			}
			time.Sleep(500 * time.Millisecond)
		}
	}
	rejected("ServiceAccount", "every account has a label owner")
	rejected("Secret", "exceeded quota: none")
}

// TestAnUnavailableAggregatedAPIDoesNotBlockAnInstall is not parallel: while it runs, discovery fails for one group.
func TestAnUnavailableAggregatedAPIDoesNotBlockAnInstall(t *testing.T) {
	client := live(t)
	dead := kubetest.Objects(t, []byte(`
{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.dead.example.org}, spec: {group: dead.example.org, version: v1, groupPriorityMinimum: 100, versionPriority: 10, insecureSkipTLSVerify: true, service: {name: missing, namespace: default}}}
`))[0]
	dead, err := client.Do(t.Context(), cluster.Change{Verb: cluster.Apply, After: dead}, cluster.Options{Manager: "another-client"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := client.Do(context.Background(), cluster.Change{Verb: cluster.Delete, Before: dead}, cluster.Options{Manager: "another-client"}); err != nil {
			t.Error(err)
		}
	})
	fresh := sandboxtest.Connect(t, sharedFile)
	plan := planOf(t, fresh, "beside-the-dead", strings.ReplaceAll(shop, "shop", "beside-the-dead"))
	if err := preflight.Run(t.Context(), fresh, plan); err != nil {
		t.Fatal(err)
	}
	if _, err := runUnlocked(t, fresh, plan, apply.Options{Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	why := explain.ByRef(t.Context(), fresh.View(), cluster.RefOf(dead))
	if !strings.Contains(why, "it is not available") || !strings.Contains(why, "Service/default/missing does not exist") {
		t.Errorf("the unavailable API is explained as: %s", why)
	}
}
