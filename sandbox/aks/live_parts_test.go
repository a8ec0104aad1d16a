package aks_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func (l live) webhook(t *testing.T) {
	l.apply(t, `
apiVersion: v1
kind: Namespace
metadata: {name: guarded, labels: {guarded: "yes"}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks:
- name: guard.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  namespaceSelector: {matchLabels: {guarded: "yes"}}
  clientConfig: {service: {name: guard, namespace: guards, path: /validate}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
`)
	if out, err := l.kubectl(t, "", "create", "configmap", "early", "-n", "guarded"); err == nil || !strings.Contains(out, `failed calling webhook "guard.example.com"`) {
		t.Errorf("before there is a Service: %v\n%s", err, out)
	}
	l.apply(t, serving("guards", "guard", "guard:1"))
	l.until(t, decodes, "get", "validatingwebhookconfiguration", "guard", "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}")
	l.until(t, filled, "create", "configmap", "late", "-n", "guarded")
}

func (l live) aggregated(t *testing.T) {
	l.apply(t, serving("cert-manager", "cert-manager-webhook", "webhook:v0.11.0")+`
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.webhook.cert-manager.io}
spec:
  group: webhook.cert-manager.io
  version: v1beta1
  groupPriorityMinimum: 1000
  versionPriority: 15
  service: {name: cert-manager-webhook, namespace: cert-manager}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: through-the-api-server}
webhooks:
- name: webhook.cert-manager.io
  admissionReviewVersions: [v1beta1, v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {service: {name: kubernetes, namespace: default, path: /apis/webhook.cert-manager.io/v1beta1/mutations}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [limitranges]}]
`)
	l.run(t, "wait", "--for=condition=Available", "apiservice/v1beta1.webhook.cert-manager.io", "--timeout=60s")
	l.apply(t, `{"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "seen", "namespace": "default"}, "spec": {"limits": []}}`)
}

func (l live) conversion(t *testing.T) {
	l.apply(t, serving("converters", "converter", "converter:1")+`
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {kind: Thing, plural: things}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
  - {name: v2, served: true, storage: false, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
  conversion:
    strategy: Webhook
    webhook: {conversionReviewVersions: [v1], clientConfig: {service: {name: converter, namespace: converters, path: /convert}}}
`)
	l.until(t, decodes, "get", "crd", "things.example.com", "-o", "jsonpath={.spec.conversion.webhook.clientConfig.caBundle}")
	l.run(t, "wait", "--for=condition=Established", "crd/things.example.com", "--timeout=60s")
	l.eventually(t, func() (string, bool) {
		out, err := l.kubectl(t, `{"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"size": 3}}`, "apply", "-f", "-")
		return out, err == nil
	})
	l.until(t, func(out string) bool { return out == "example.com/v2 3" }, "get", "things.v2.example.com", "one", "-o", "jsonpath={.apiVersion} {.spec.size}")
}

func (l live) injection(t *testing.T) {
	name, image, sidecar := "istiod", "gcr.io/istio-release/pilot:1.28.0", "{.spec.initContainers[?(@.name=='istio-proxy')].restartPolicy}"
	if l.version == "1.21" {
		name, image, sidecar = "istio-sidecar-injector", "gcr.io/istio-release/sidecar_injector:1.3.1", "{.spec.containers[?(@.name=='istio-proxy')].image}"
	}
	l.apply(t, serving("istio-system", name, image)+`
---
apiVersion: v1
kind: Namespace
metadata: {name: kubeflow, labels: {istio-injection: enabled, control-plane: kubeflow}}
---
apiVersion: v1
kind: Namespace
metadata: {name: profile, labels: {istio-injection: enabled}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: istio-sidecar-injector}
webhooks:
- name: sidecar-injector.istio.io
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  namespaceSelector: {matchLabels: {istio-injection: enabled}}
  clientConfig: {service: {name: `+name+`, namespace: istio-system, path: /inject}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
`)
	selector := "jsonpath={.webhooks[0].namespaceSelector.matchExpressions[*].key}"
	l.until(t, func(out string) bool { return out == "control-plane" }, "get", "mutatingwebhookconfiguration", "istio-sidecar-injector", "-o", selector)
	l.until(t, decodes, "get", "mutatingwebhookconfiguration", "istio-sidecar-injector", "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}")
	injected := func(namespace string) bool {
		l.run(t, "delete", "pod", "app", "-n", namespace, "--ignore-not-found")
		l.run(t, "run", "app", "-n", namespace, "--image=app:1")
		return l.run(t, "get", "pod", "app", "-n", namespace, "-o", "jsonpath="+sidecar) != ""
	}
	l.eventually(t, func() (string, bool) {
		profile, kubeflow := injected("profile"), injected("kubeflow")
		return fmt.Sprintf("with the enforcer on: sidecar in profile %t, in kubeflow %t", profile, kubeflow), profile && !kubeflow
	})
	l.run(t, "annotate", "mutatingwebhookconfiguration", "istio-sidecar-injector", "admissions.enforcer/disabled=true")
	l.run(t, "patch", "mutatingwebhookconfiguration", "istio-sidecar-injector", "--type=json", "-p", `[{"op":"remove","path":"/webhooks/0/namespaceSelector/matchExpressions"}]`)
	l.eventually(t, func() (string, bool) { return "still no sidecar in kubeflow", injected("kubeflow") })
	l.run(t, "wait", "--for=condition=Ready", "pod/app", "-n", "kubeflow", "--timeout=60s")
}

func (l live) storage(t *testing.T) {
	l.apply(t, `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: default}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}
`)
	l.until(t, func(out string) bool { return strings.Contains(out, "WaitForFirstConsumer") }, "get", "events", "-n", "default", "-o", "jsonpath={.items[*].reason}")
	if phase := l.run(t, "get", "pvc", "data", "-n", "default", "-o", "jsonpath={.status.phase}"); phase != "Pending" {
		t.Errorf("without a consumer the claim is %s", phase)
	}
	l.apply(t, `
apiVersion: v1
kind: Pod
metadata: {name: consumer, namespace: default}
spec:
  containers: [{name: main, image: mysql:8}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
`)
	l.run(t, "wait", "--for=condition=Ready", "pod/consumer", "-n", "default", "--timeout=60s")
	if class := l.run(t, "get", "pvc", "data", "-n", "default", "-o", "jsonpath={.status.phase} {.spec.storageClassName}"); class != "Bound default" {
		t.Errorf("with one it is %s", class)
	}
}

func (l live) crash(t *testing.T) {
	l.apply(t, `
apiVersion: v1
kind: Pod
metadata: {name: mpi-operator, namespace: default}
spec: {containers: [{name: mpi-operator, image: "mpioperator/mpi-operator:latest", args: [--kubectl-delivery-image, x]}]}
`)
	state := "jsonpath={.status.containerStatuses[0].state.waiting.reason} {.status.containerStatuses[0].lastState.terminated.exitCode}"
	l.until(t, func(out string) bool { return out == "CrashLoopBackOff 2" }, "get", "pod", "mpi-operator", "-n", "default", "-o", state)
	if out := l.run(t, "logs", "mpi-operator", "-n", "default"); !strings.Contains(out, "flag provided but not defined: -kubectl-delivery-image") {
		t.Errorf("its log says %q", out)
	}
}

func (l live) policy(t *testing.T) {
	l.apply(t, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  selector: {matchLabels: {app: istio-ingressgateway}}
  template:
    metadata: {labels: {app: istio-ingressgateway}}
    spec: {containers: [{name: istio-proxy, image: proxyv2, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: lb, namespace: istio-system}
spec: {type: LoadBalancer, selector: {app: istio-ingressgateway}, ports: [{port: 18081, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: same-namespace, namespace: istio-system}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}
`)
	l.run(t, "rollout", "status", "deployment/istio-ingressgateway", "-n", "istio-system", "--timeout=60s")
	ip := l.until(t, filled, "get", "service", "lb", "-n", "istio-system", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")
	url := "http://" + ip + ":18081/"
	if status, _, err := get(t.Context(), url, time.Second); err == nil {
		t.Errorf("through a policy that forbids it: %d", status)
	}
	l.apply(t, `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow-gateway, namespace: istio-system}
spec: {podSelector: {matchLabels: {app: istio-ingressgateway}}, policyTypes: [Ingress], ingress: [{ports: [{port: 8080}]}]}
`)
	l.eventually(t, func() (string, bool) {
		status, body, err := get(t.Context(), url, 5*time.Second)
		return fmt.Sprint(status, body, err), status == http.StatusNotFound // there is no Gateway object
	})
}
