package main

import (
	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
)

// preflightFlags say what may not stand in the way of an install.
type preflightFlags struct {
	suppress []string // as doctor's
	adopt    []string // components

	ignored []doctor.Suppression
}

func (p *preflightFlags) add(f *pflag.FlagSet) {
	f.StringSliceVar(&p.adopt, "adopt", nil, "take over the objects of these `COMPONENTS` from what manages them now (Helm, Argo CD, Flux ...)")
	f.StringSliceVar(&p.suppress, "suppress", nil, "install in spite of what the check `ID[=KIND/NAMESPACE/NAME]` finds")
}

func (p *preflightFlags) validate() error {
	p.ignored = nil
	for _, text := range p.suppress {
		s, err := doctor.ParseSuppression(text)
		if err == nil {
			_, err = checks.Find(s.Check)
		}
		if err != nil {
			return &usageError{What: "--suppress: " + err.Error(), Next: "See the checks with: kubectl kubeflow doctor --list"}
		}
		p.ignored = append(p.ignored, s)
	}
	return nil
}
