package nodes

import _ "embed"

//go:embed stages.yaml
var stages []byte

// Stages configure KWOK (kwok.x-k8s.io/v1alpha1 Stage): they make nodes Ready
// and renew their heartbeats. KWOK does not manage pods.
func Stages() []byte { return append([]byte(nil), stages...) }
