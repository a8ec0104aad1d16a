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

// adaptFlags say how the manifests are changed before they are applied.
type adaptFlags struct {
	adapt          string
	images         []string // FROM=TO
	gpuTolerations bool

	rules []images.Rule
}

func (a *adaptFlags) add(cmd *cobra.Command, f *pflag.FlagSet) {
	installAdapt.Add(cmd, f, &a.adapt, "", "mend in the manifests what does not work on AKS; `MODE` is %s")
	f.StringArrayVar(&a.images, "image", nil, "take images from elsewhere: `FROM=TO` says what takes the place of what their names begin with; may be repeated")
	f.BoolVar(&a.gpuTolerations, "gpu-tolerations", false, "let people choose GPU nodes with taints (on AKS sku=gpu:NoSchedule) when they start a notebook")
}

func (a *adaptFlags) validate() error {
	if err := installAdapt.Check(a.adapt); err != nil {
		return err
	}
	if a.adapt == "none" && a.gpuTolerations {
		return &problem.Error{Usage: true, What: "--adapt=none leaves the manifests as they are, and --gpu-tolerations changes them", Next: "Leave one of them out"}
	}
	a.rules = nil
	for _, text := range a.images {
		r, err := images.Parse(text)
		if err != nil {
			return &problem.Error{Usage: true, What: "--image: " + err.Error(), Next: "FROM is what images begin with now, TO what takes its place; there is no https:// in an image"}
		}
		a.rules = append(a.rules, r)
	}
	return nil
}

// sayAdapted says what was mended in the manifests: one line for each check; all of it, and why, when differences are asked for.
func (o *installOptions) sayAdapted(plan *kubeflow.InstallPlan) {
	var order []string
	byCheck := map[string][]doctor.Adaptation{}
	for _, adapted := range plan.Adapted {
		if byCheck[adapted.Check] == nil {
			order = append(order, adapted.Check)
		}
		byCheck[adapted.Check] = append(byCheck[adapted.Check], adapted)
	}
	for _, check := range order {
		made := byCheck[check]
		changes := 0
		for _, a := range made {
			changes += len(a.Changes)
		}
		o.Screen().Say("Adapted (%s): %s", check, text.Plural(changes, "change"))
		if !o.diff {
			more := ""
			if len(made) > 1 {
				more = ", ..."
			}
			o.Screen().Say("  %s%s", made[0].Title, more)
			continue
		}
		for _, a := range made {
			var refs []string
			for _, c := range a.Changes {
				refs = append(refs, c.Ref().String())
			}
			o.Screen().Say("  %s: %s\n    in %s", a.Title, a.Reason, strings.Join(refs, ", "))
		}
	}
}
