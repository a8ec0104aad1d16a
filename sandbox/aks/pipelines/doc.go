// Package pipelines simulates the programs of Kubeflow Pipelines as far as a client sees them.
//
// The profile controller (metacontroller with kubeflow-pipelines-profile-controller) creates in every namespace with the label
// pipelines.kubeflow.org/enabled the Secret of the object store, the ConfigMap metadata-grpc-configmap, and, unless
// ARTIFACTS_PROXY_ENABLED is false (the default since Pipelines 2.15), the artifact server. It follows
// manifests/kustomize/base/installs/multi-user/pipelines-profile-controller/sync.py of kubeflow/pipelines, and runs only
// while its Deployment and metacontroller are ready.
//
// The API server answers the part of the published REST APIs that verify and the SDK use to run a pipeline: healthz,
// experiments, pipelines, runs, and artifacts of runs, in v1beta1 and, from the image 2.0 on, v2beta1. Paths, fields and enumerations are those of
// backend/api/{v1beta1,v2beta1}/*.proto; the users (header first, then TokenReview with TOKEN_REVIEW_AUDIENCE), the access
// reviews (group pipelines.kubeflow.org; before 1.1 only the owner of the namespace) and the messages those of
// backend/src/apiserver/{auth,server}. A run becomes a Workflow with the labels that backend/src/apiserver/resource sets. Pipelines
// in the intermediate representation become a Workflow with a task for each task; the driver and the launcher, which the real one adds, ML
// Metadata, caching, filters, pages and the database are left out: what it knows is in memory.
//
// The object store is a real S3 server in memory, github.com/rclone/gofakes3, which checks signatures. It knows the keys that the Secret had
// when its pod started.
package pipelines
