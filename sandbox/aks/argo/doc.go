// Package argo simulates Argo's workflow controller and its executor as far as Kubeflow Pipelines' graphs show them.
//
// The controller turns each task of a Workflow's DAG into a pod once the tasks that it depends on have succeeded, and writes
// status.nodes with the phases, messages, times and children of workflow/controller/{dag,operator,workflowpod}.go of
// argoproj/argo-workflows. What the API server says against a pod (quota, Pod Security) is the message of its node. It runs only
// while Deployment workflow-controller is ready.
//
// The executor is the one that the ConfigMap names: docker mounts the socket of the node's Docker, pns shares the process
// namespace and wants SYS_PTRACE, emissary neither. It runs the step's program, a real sh on this machine in a folder of its own,
// with the declared paths of artifacts moved there, and stores artifacts and logs with the keys that the step's
// namespace has. Programs other than sh are taken to have succeeded. Steps, loops, conditions, retries and parameters are left out.
package argo
