package pipelines

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var ObjectStore = &doctor.Check{
	ID:    "pipelines/object-store",
	Title: "Workflow object store exists",
	Why: "Pipeline steps write their outputs to the object store configured in ConfigMap workflow-controller-configmap: minio-service up to " +
		"Kubeflow 1.11, seaweedfs from 26.03 on. After an upgrade the ConfigMap may still name the removed store, and every step then " +
		"fails when it saves its outputs.",
	FixNote: "If the ConfigMap has no object store at all, --fix sets the one that runs in namespace kubeflow. No automatic fix for a wrong address: the data of " +
		"older runs may have to be migrated first. Then set the endpoint to the existing Service.",
	Sources: []string{"kubeflow/manifests#3472"},
	Reads:   []schema.GroupKind{kube.ConfigMapKind, kube.ServiceKind},
	Writes:  []doctor.Write{{Kind: kube.ConfigMapKind, In: []string{workloads.Namespace}, Names: []string{"workflow-controller-configmap"}, Fields: []string{"/data/artifactRepository"}}},
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		config, err := e.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: workloads.Namespace, Name: "workflow-controller-configmap"})
		if apierrors.IsNotFound(err) {
			return nil, doctor.Skip("there is no workflow controller in namespace %s", workloads.Namespace)
		}
		if err != nil {
			return nil, err
		}
		if !hasRepository(config) {
			services, err := e.List(ctx, kube.ServiceKind, cluster.Scope{Namespace: workloads.Namespace})
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(services, func(s *unstructured.Unstructured) bool { return slices.Contains(needRepository, s.GetName()) }) {
				return nil, doctor.Skip("no object store is configured, and Kubeflow Pipelines is not installed")
			}
			return []doctor.Finding{noRepository(config, services)}, nil
		}
		field, host := storeOf(config)
		name, namespace, inside := serviceOf(host)
		if !inside {
			return nil, doctor.Skip("the object store is outside the cluster, or not configured")
		}
		services, err := e.List(ctx, kube.ServiceKind, cluster.Scope{Namespace: namespace})
		if err != nil || slices.ContainsFunc(services, func(s *unstructured.Unstructured) bool { return s.GetName() == name }) {
			return nil, err
		}
		return []doctor.Finding{storeFinding(config, field, host, services)}, nil
	},
}

// hasRepository reports whether the ConfigMap has an artifact repository, of any kind. One that cannot be read counts as one.
func hasRepository(config *unstructured.Unstructured) bool {
	data, _, _ := unstructured.NestedStringMap(config.Object, "data")
	if whole, single := data["config"]; single {
		fields := map[string]any{}
		if bounded.Unmarshal(whole, &fields) != nil {
			return true
		}
		repository, _ := fields["artifactRepository"].(map[string]any)
		return stores(repository)
	}
	fields := map[string]any{}
	return bounded.Unmarshal(data["artifactRepository"], &fields) != nil || stores(fields)
}

// stores reports whether an artifact repository says where it stores artifacts: besides that, it has only archiveLogs.
func stores(repository map[string]any) bool {
	for key, value := range repository {
		if fields, _ := value.(map[string]any); key != "archiveLogs" && len(fields) > 0 {
			return true
		}
	}
	return false
}

// includedStores are the Services of the stores that Kubeflow includes. All listen on port 9000.
var includedStores = []string{"seaweedfs", "minio-service"}

// needRepository are the Services whose presence shows that pipelines store artifacts.
var needRepository = append([]string{"ml-pipeline"}, includedStores...)

// noRepository reports a ConfigMap without an artifact repository. The one store that runs in the namespace is meant.
func noRepository(config *unstructured.Unstructured, services []*unstructured.Unstructured) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(config), Field: "data.artifactRepository"},
		Message:     kube.KindName(config) + " has no artifactRepository",
		Consequence: "Every pipeline step with an output fails: \"You need to configure artifact storage\".",
		Advice:      "Set the object store of your pipelines in artifactRepository.",
		Command:     "kubectl edit configmap -n " + workloads.Namespace + " " + escape.Word(config.GetName()),
	}
	var found []string
	for _, s := range services {
		if slices.Contains(includedStores, s.GetName()) {
			found = append(found, s.GetName())
		}
	}
	if _, single, _ := unstructured.NestedString(config.Object, "data", "config"); single || len(found) != 1 {
		return f
	}
	f.Cause = "Service " + found[0] + " is the existing object store."
	f.Fix = &doctor.Fix{Title: "Set " + found[0] + " as the artifact repository", Impact: doctor.Safe, Changes: []cluster.Change{cluster.Edit(config, func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, fmt.Sprintf(repositoryOf, found[0], keyPrefix[found[0]]), "data", "artifactRepository")
	})}}
	return f
}

// keyPrefix begins the names of artifacts: SeaweedFS lets each Profile read only its own.
var keyPrefix = map[string]string{"seaweedfs": "private-artifacts/{{workflow.namespace}}", "minio-service": "artifacts"}

// repositoryOf is the artifact repository of the releases, with the name of the Service and the prefix.
const repositoryOf = `archiveLogs: true
s3:
  endpoint: %s.kubeflow:9000
  bucket: mlpipeline
  keyFormat: "%s/{{workflow.name}}/{{workflow.creationTimestamp.Y}}/{{workflow.creationTimestamp.m}}/{{workflow.creationTimestamp.d}}/{{pod.name}}"
  insecure: true
  accessKeySecret:
    name: mlpipeline-minio-artifact
    key: accesskey
  secretKeySecret:
    name: mlpipeline-minio-artifact
    key: secretkey
`

// endpointLine matches the store's address in the setting's YAML, block or flow style.
var endpointLine = regexp.MustCompile(`\bendpoint:\s*["']?([^\s"',}]+)`)

// storeOf returns the address of the object store, and the field that has it.
func storeOf(config *unstructured.Unstructured) (field, host string) {
	for _, key := range []string{"config", "artifactRepository"} {
		if m := endpointLine.FindStringSubmatch(kube.Text(config.Object, "data", key)); m != nil {
			return "data." + key, m[1]
		}
	}
	return "", ""
}

// serviceOf returns the Service of a host inside the cluster: "minio-service.kubeflow:9000", with or without the cluster's domain.
func serviceOf(host string) (name, namespace string, inside bool) {
	if _, address, url := strings.Cut(host, "://"); url {
		host = address
	}
	host, _, _ = strings.Cut(host, ":")
	labels := strings.Split(host, ".")
	switch {
	case host == "" || strings.ContainsAny(host, "$("):
		return "", "", false
	case len(labels) == 1:
		return labels[0], workloads.Namespace, true
	case len(labels) == 2 && labels[1] == workloads.Namespace, len(labels) > 2 && labels[2] == "svc":
		return labels[0], labels[1], true
	}
	return "", "", false
}

func storeFinding(config *unstructured.Unstructured, field, host string, services []*unstructured.Unstructured) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(config), Field: field},
		Message:     fmt.Sprintf("object store endpoint %s has no Service", host),
		Consequence: "Every pipeline step fails when it saves its outputs.",
		Advice:      "Restore the object store, or set the endpoint to the existing one.",
		Command:     "kubectl edit configmap -n " + workloads.Namespace + " " + escape.Word(config.GetName()),
	}
	for _, s := range services {
		if s.GetName() == "seaweedfs" || s.GetName() == "minio-service" {
			f.Cause = "Service " + s.GetName() + " is the existing object store."
		}
	}
	return f
}
