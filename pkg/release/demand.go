package release

import (
	_ "embed"
	"encoding/json"
	"sync"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/version"
)

// A Demand is what the objects of a release request of a cluster's nodes, sidecars included.
type Demand struct {
	CPU     int64 `json:"cpu"`     // thousandths
	Memory  int64 `json:"memory"`  // bytes
	Pods    int   `json:"pods"`    // of workloads; the pods of profiles come with their users
	Volumes int   `json:"volumes"` // PersistentVolumeClaims
	Disk    int64 `json:"disk"`    // bytes in them
}

//go:embed demands.json
var demandsFile []byte

var demands = sync.OnceValue(func() map[string]Demand {
	var all map[string]Demand
	if err := json.Unmarshal(demandsFile, &all); err != nil {
		panic(err) // the table is part of the program
	}
	return all
})

// Demand returns what a release requests, and the release of which it was measured: demands.json is made by a test from rendered
// archives. Of a release that was not measured, that is the larger of the ones before and after it, so that the nodes suffice.
func (r Release) Demand() (d Demand, measured string) {
	if own, found := demands()[r.Version]; found {
		return own, r.Version
	}
	var before, after string
	for _, other := range All() { // oldest first
		switch _, found := demands()[other.Version]; {
		case !found:
		case version.Older(other.Version, r.Version):
			before = other.Version
		case after == "":
			after = other.Version
		}
	}
	for _, one := range []string{before, after} {
		if found, ok := demands()[one]; ok && found.CPU > d.CPU {
			d, measured = found, one
		}
	}
	return d, measured
}
