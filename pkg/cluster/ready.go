package cluster

import (
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Ready tells whether a live object has come to rest as wanted, and if not, why, in its own words
// ("Available: 0/1"). The rules are kstatus's: observed generation, conditions, replica counts.
func Ready(o *unstructured.Unstructured) (ready bool, why string) {
	result, err := status.Compute(o)
	if err != nil {
		return false, err.Error()
	}
	return result.Status == status.CurrentStatus, result.Message
}
