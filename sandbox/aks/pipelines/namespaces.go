package pipelines

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	appslisters "k8s.io/client-go/listers/apps/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/control"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/program"
)

const (
	system      = "kubeflow"
	storeSecret = "mlpipeline-minio-artifact"
	artifacts   = "ml-pipeline-ui-artifact"
)

var (
	namespaces  = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	secrets     = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	configMaps  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
)

type profiles struct {
	client         dynamic.Interface
	program        program.Program
	metacontroller appslisters.StatefulSetLister
}

// Profiles creates the loop that completes profile namespaces.
func Profiles(client dynamic.Interface, factory informers.SharedInformerFactory) *control.Poll {
	factory.Apps().V1().StatefulSets().Informer()
	p := profiles{client: client, program: program.New(factory, system, "kubeflow-pipelines-profile-controller"), metacontroller: factory.Apps().V1().StatefulSets().Lister()}
	return &control.Poll{
		Name: "pipelines profile controller", Client: client, Ready: p.ready, Reconcile: p.reconcile, Kinds: []schema.GroupVersionResource{namespaces},
	}
}

func (p profiles) ready() bool {
	set, err := p.metacontroller.StatefulSets(system).Get("metacontroller")
	return err == nil && set.Status.ReadyReplicas > 0 && p.program.Ready()
}

func (p profiles) reconcile(ctx context.Context, _ schema.GroupVersionResource, namespace *unstructured.Unstructured) (bool, error) {
	if namespace.GetLabels()["pipelines.kubeflow.org/enabled"] != "true" || namespace.GetDeletionTimestamp() != nil {
		return true, nil
	}
	store, err := p.client.Resource(secrets).Namespace(system).Get(ctx, storeSecret, metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	parts := []part{
		{secrets, "v1", "Secret", storeSecret, map[string]any{"data": store.Object["data"]}},
		{configMaps, "v1", "ConfigMap", "metadata-grpc-configmap", map[string]any{"data": map[string]any{
			"METADATA_GRPC_SERVICE_HOST": "metadata-grpc-service.kubeflow", "METADATA_GRPC_SERVICE_PORT": "8080",
		}}},
	}
	if p.program.EnvOr("ARTIFACTS_PROXY_ENABLED", "true") == "true" {
		parts = append(parts, artifactServer()...)
	}
	for _, part := range parts {
		o := part.in(namespace.GetName())
		control.OwnedBy(o, namespace)
		if err := control.Ensure(ctx, p.client, part.kind, o); err != nil {
			return false, err
		}
	}
	return true, nil
}

type part struct {
	kind             schema.GroupVersionResource
	apiVersion, name string
	object           string
	fields           map[string]any
}

func (p part) in(namespace string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": p.apiVersion, "kind": p.name}}
	for key, value := range p.fields {
		o.Object[key] = value
	}
	o.SetNamespace(namespace)
	o.SetName(p.object)
	if p.object == artifacts {
		o.SetLabels(map[string]string{"app": artifacts})
	}
	return o
}

func artifactServer() []part {
	selector := map[string]any{"app": artifacts}
	return []part{
		{deployments, "apps/v1", "Deployment", artifacts, map[string]any{"spec": map[string]any{
			"selector": map[string]any{"matchLabels": selector},
			"template": map[string]any{
				"metadata": map[string]any{"labels": selector},
				"spec": map[string]any{"serviceAccountName": "default-editor", "containers": []any{map[string]any{
					"name": artifacts, "image": "ghcr.io/kubeflow/kfp-frontend", "ports": []any{map[string]any{"containerPort": int64(3000)}},
				}}},
			},
		}}},
		{services, "v1", "Service", artifacts, map[string]any{"spec": map[string]any{
			"selector": selector, "ports": []any{map[string]any{"name": "http", "port": int64(80), "protocol": "TCP", "targetPort": int64(3000)}},
		}}},
	}
}
