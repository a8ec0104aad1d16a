// Package kfp is a client of the published REST APIs of Kubeflow Pipelines: v1beta1 up to Kubeflow 1.7, v2beta1 from 1.8 on.
//
// [Discover] asks the API server which of them it serves; a [Client] then creates experiments and runs, follows a [Run] step by step,
// and reads artifacts. Paths, fields and enumerations are those of backend/api/v1beta1 and backend/api/v2beta1 of
// kubeflow/pipelines; the older API shows the steps of a run as an Argo Workflow, the newer one as task details. graph.go makes
// one tree of both.
package kfp
