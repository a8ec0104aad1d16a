package install

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/images"
)

// adaptFlags set how the manifests are patched before they are applied.
type adaptFlags struct {
	adapt          string
	images         []string // FROM=TO
	gpuTolerations bool

	rules []images.Rule
}

func (a *adaptFlags) add(cmd *cobra.Command, f *pflag.FlagSet) {
	installAdapt.Add(cmd, f, &a.adapt, "", "patch manifests for AKS; `MODE` is %s")
	f.StringArrayVar(&a.images, "image", nil, "replace the image prefix FROM with TO, as `FROM=TO`; can be repeated")
	f.BoolVar(&a.gpuTolerations, "gpu-tolerations", false, "let users choose tainted GPU nodes (on AKS sku=gpu:NoSchedule) for their notebooks")
}

func (a *adaptFlags) validate() error {
	if err := installAdapt.Check(a.adapt); err != nil {
		return err
	}
	if a.adapt == "none" && a.gpuTolerations {
		return &problem.Error{Usage: true, What: "--gpu-tolerations cannot be used with --adapt=none", Next: "Specify one of them"}
	}
	a.rules = nil
	for _, text := range a.images {
		r, err := images.Parse(text)
		if err != nil {
			return &problem.Error{Usage: true, What: "--image: " + err.Error(), Next: "Write it as FROM=TO: FROM is the current image prefix, TO its replacement, both without https://"}
		}
		a.rules = append(a.rules, r)
	}
	return nil
}

// printAdapted lists how the manifests were patched: one line per check, and with --diff every patch with its reason.
func (o *installOptions) printAdapted(plan *kubeflow.InstallPlan) {
	var order []string
	byCheck := map[string][]doctor.Adaptation{}
	for _, adapted := range plan.Adapted {
		if byCheck[adapted.Check] == nil {
			order = append(order, adapted.Check)
		}
		byCheck[adapted.Check] = append(byCheck[adapted.Check], adapted)
	}
	for _, check := range order {
		patches := byCheck[check]
		changes := 0
		for _, a := range patches {
			changes += len(a.Changes)
		}
		o.Screen().Say("Patched (%s): %s", check, text.Plural(changes, "change"))
		if !o.diff {
			more := ""
			if len(patches) > 1 {
				more = ", ..."
			}
			o.Screen().Say("  %s%s", patches[0].Title, more)
			continue
		}
		for _, a := range patches {
			var refs []string
			for _, c := range a.Changes {
				refs = append(refs, c.Ref().String())
			}
			o.Screen().Say("  %s: %s\n    in %s", a.Title, a.Reason, strings.Join(refs, ", "))
		}
	}
}
