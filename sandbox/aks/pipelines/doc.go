// Package pipelines simulates the programs of Kubeflow Pipelines as far as a client sees them.
//
// The profile controller (metacontroller with kubeflow-pipelines-profile-controller) creates in every namespace with the label
// pipelines.kubeflow.org/enabled the Secret of the object store, the ConfigMap metadata-grpc-configmap, and, unless
// ARTIFACTS_PROXY_ENABLED is false (the default since Pipelines 2.15), the artifact server. It follows
// manifests/kustomize/base/installs/multi-user/pipelines-profile-controller/sync.py of kubeflow/pipelines, and runs only
// while its Deployment and metacontroller are ready.
package pipelines
