// Package pipelines checks Kubeflow Pipelines: its workflow executor, its images, its stores.
package pipelines
