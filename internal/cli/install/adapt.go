package install

import (
	"fmt"
	"io"
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

// printAdapted says how the manifests were patched: in one line, and with --diff or -v every patch with its reason.
func (o *installOptions) printAdapted(w io.Writer, plan *kubeflow.InstallPlan) {
	if len(plan.Adapted) == 0 {
		return
	}
	s := o.Screen()
	if o.diff || o.Verbosity > 0 {
		for _, a := range plan.Adapted {
			var refs []string
			for _, c := range a.Changes {
				refs = append(refs, c.Ref().String())
			}
			s.Say("Patched (%s): %s: %s\n  in %s", a.Check, a.Title, a.Reason, strings.Join(refs, ", "))
		}
		return
	}
	s.Hanging(w, "  Patches: ", 4, strings.Join(patches(plan.Adapted), "; ")+"   (--diff shows them)")
}

// patches counts what the patches change: one entry for each check, with the title of its first patch.
func patches(adapted []doctor.Adaptation) []string {
	var order []string
	changes, first, more := map[string]int{}, map[string]string{}, map[string]bool{}
	for _, a := range adapted {
		if _, known := first[a.Check]; !known {
			order = append(order, a.Check)
			first[a.Check] = a.Title
		} else if first[a.Check] != a.Title {
			more[a.Check] = true
		}
		changes[a.Check] += len(a.Changes)
	}
	var parts []string
	for _, check := range order {
		part := first[check]
		if more[check] || changes[check] > 1 {
			part += fmt.Sprintf(" (%s of %s)", text.Plural(changes[check], "change"), check)
		}
		parts = append(parts, part)
	}
	return parts
}
