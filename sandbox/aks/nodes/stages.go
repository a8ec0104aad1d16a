package nodes

import _ "embed"

//go:embed stages.yaml
var stages []byte

// Stages are KWOK's instructions (kwok.x-k8s.io/v1alpha1 Stage): they make a
// node Ready that is not, and keep its heartbeat. Pods are not KWOK's business.
func Stages() []byte { return append([]byte(nil), stages...) }
