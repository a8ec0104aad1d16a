package install

import (
	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
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

func (p *preflightFlags) validate() (err error) {
	p.ignored, err = kubeflow.ParseSuppressions(p.suppress)
	return err
}
