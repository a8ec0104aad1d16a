package install

import (
	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// preflightFlags set which preflight findings do not block an install.
type preflightFlags struct {
	suppress []string // as for doctor
	adopt    []string // components

	suppressions []doctor.Suppression
}

func (p *preflightFlags) add(f *pflag.FlagSet) {
	f.StringSliceVar(&p.adopt, "adopt", nil, "take ownership of the objects of these `COMPONENTS` from their current manager (Helm, Argo CD, Flux, ...)")
	f.StringSliceVar(&p.suppress, "suppress", nil, "ignore findings of the check `ID[=KIND/NAMESPACE/NAME]`")
}

func (p *preflightFlags) validate() (err error) {
	p.suppressions, err = kubeflow.ParseSuppressions(p.suppress)
	return err
}
