// Package component is the commands about one component: "kubectl kubeflow logs" and "kubectl kubeflow restart".
package component
