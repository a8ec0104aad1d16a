package doctor

import (
	"context"
	"slices"
	"sync"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// An Inspection is how a cluster compares with what was installed, in the judgement of status: the checks cannot contradict it.
type Inspection struct {
	Absent      bool   // there is no Kubeflow
	Recorded    bool   // by an install of this program; else only its workloads are known
	Release     string // "26.03", "" if it is not a known release
	Interrupted int    // objects that an interrupted install has not applied
	AtWork      bool   // another client is changing it now
	Objects     []Inspected
}

// An Inspected is one installed object.
type Inspected struct {
	cluster.Ref
	Component string
	State     string   // as status calls it: "ready", "unknown", "progressing", "missing" or "failing"
	Why       string   // why it is not ready
	Replicas  int64    // installed; 0 if unknown or none
	Stopped   bool     // it was installed without replicas
	Drift     []string // installed fields that others changed: "spec.replicas: 1 of 3 installed"
}

// Find returns an installed object, nil where it is not known.
func (i *Inspection) Find(ref cluster.Ref) *Inspected {
	if i == nil {
		return nil
	}
	for n := range i.Objects {
		if i.Objects[n].Identity() == ref.Identity() {
			return &i.Objects[n]
		}
	}
	return nil
}

// Installed returns how the cluster compares with what was installed, nil where that is not known.
func (e Exam) Installed(ctx context.Context) (*Inspection, error) {
	if e.Inspect == nil {
		return nil, nil
	}
	return e.Inspect(ctx, e.View)
}

// inspectOnce returns the settings with an Inspect that all checks share.
func (s Settings) inspectOnce(ctx context.Context, view cluster.View) Settings {
	if inspect := s.Inspect; inspect != nil {
		once := sync.OnceValues(func() (*Inspection, error) { return inspect(ctx, asked{view: view}) })
		s.Inspect = func(context.Context, cluster.View) (*Inspection, error) { return once() }
	}
	return s
}

// InstallationID is the check that says whether there is a Kubeflow at all, and NoKubeflow is how it says that there is none.
const (
	InstallationID = "installation/complete"
	NoKubeflow     = "there is no Kubeflow on this cluster"
)

// Absent reports whether the checks found no Kubeflow.
func (r *Report) Absent() bool {
	c := r.Check(InstallationID)
	return c != nil && slices.ContainsFunc(c.Findings, func(f Finding) bool { return f.Message == NoKubeflow })
}
