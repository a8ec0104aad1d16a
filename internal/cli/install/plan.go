package install

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// allowances are what an install does only if the user allows it.
type allowances struct{ recreate, downgrade bool }

func (a *allowances) add(f *pflag.FlagSet) {
	f.BoolVar(&a.recreate, "recreate", false, "delete and recreate objects that cannot be changed in place, except those that hold data")
	f.BoolVar(&a.downgrade, "allow-downgrade", false, "allow replacing a newer release with an older one")
}

// maxNamed is how many objects of a step are listed by name.
const maxNamed = 3

// actionWords name the actions of a plan on the screen.
var actionWords = map[plan.Action]string{
	plan.Create: "new", plan.Adopt: "adopt", plan.Change: "change", plan.Recreate: "recreate",
	plan.Rejected: "rejected", plan.Delete: "remove", plan.Keep: "keep",
}

// printPlan prints what changes on the cluster: the counts first, then by component and action.
func (o *installOptions) printPlan(w io.Writer, p *kubeflow.InstallPlan, where string) {
	o.printReleases(p)
	for _, share := range p.Overlaps() {
		o.Screen().Say("Note: %s shared with the installation %s, kept until both are uninstalled: %s",
			text.Plural(len(share.Objects), "object"), share.With.Name, text.Names(share.Objects, 5, cluster.Ref.String))
	}
	steps := p.Steps()
	count := map[plan.Action]int{}
	for _, step := range steps {
		count[step.Action] += len(step.Objects)
	}
	s := o.Screen()
	head := fmt.Sprintf("Plan for %s: %s, ", where, p.Title)
	if p.FirstInstall() {
		s.Hanging(w, s.Paint(ui.Bold, head), 2, fmt.Sprintf("new installation, %s, %s", text.Plural(len(p.Stages()), "component"), text.Plural(len(p.Objects), "object")))
		s.Hanging(w, "  ", 2, strings.Join(componentCounts(p), "  "))
		s.Hanging(w, "  ", 2, needs(p))
		return
	}
	s.Hanging(w, s.Paint(ui.Bold, head), 2, fmt.Sprintf("%s: %s", text.Plural(len(p.Objects), "object"), counted(count, len(p.Objects))))
	if adopted := count[plan.Adopt]; adopted > 0 {
		o.Screen().Say("%d of %d objects already exist and were not created by this plugin: they are adopted (%s). To see the changes: --diff",
			adopted, len(p.Objects), creators(p.PreviousManagers()))
	}
	if dirs := o.dirs; p.FromKfctl {
		var flags []string
		for _, dir := range dirs {
			flags = append(flags, "--dir", dir)
		}
		o.Screen().Say("%s was created by kfctl: its objects are adopted, not recreated. To see the changes: kubectl kubeflow install %s --diff", strings.Join(dirs, ", "), escape.Words(flags...))
	}
	width := 0
	for _, step := range steps {
		width = max(width, len(stepName(step)))
	}
	for _, step := range steps {
		beginning := fmt.Sprintf("  %-*s  %-8s %4d  ", width, stepName(step), actionWords[step.Action], len(step.Objects))
		s.Hanging(w, beginning, min(len(beginning), 30), stepObjects(step))
	}
}

// componentCounts lists the components with how many objects each has.
func componentCounts(p *kubeflow.InstallPlan) []string {
	count := map[string]int{}
	for _, g := range p.Objects {
		count[g.Stage]++
	}
	var parts []string
	for _, stage := range p.Stages() {
		parts = append(parts, fmt.Sprintf("%s (%d)", stage, count[stage]))
	}
	return parts
}

// needs says which volumes and addresses a new installation creates.
func needs(p *kubeflow.InstallPlan) string {
	volumes, addresses := 0, 0
	for _, g := range p.Objects {
		switch o := g.Object; o.GetKind() {
		case "PersistentVolumeClaim":
			volumes++
		case "StatefulSet":
			volumes += len(kube.Items(o.Object, "spec", "volumeClaimTemplates"))
		case "Service":
			if kube.Text(o.Object, "spec", "type") == "LoadBalancer" {
				addresses++
			}
		}
	}
	address := "no external address"
	if addresses > 0 {
		address = text.Plural(addresses, "external address")
	}
	return text.Plural(volumes, "volume") + ", " + address
}

func (o *installOptions) printReleases(plan *kubeflow.InstallPlan) {
	switch from := plan.InstalledRelease(); {
	case plan.MixesReleases():
		o.Screen().Say("Note: installs %s of Kubeflow %s; the other components stay at %s", strings.Join(plan.Stages(), ", "), plan.Release, from)
	case plan.Downgrade():
		o.Screen().Say("Downgrading from Kubeflow %s to %s. The older release may be unable to read data written by the newer one", from, plan.Release)
	case from != "" && plan.Release != "" && from != plan.Release:
		o.Screen().Say("Upgrading from Kubeflow %s to %s", from, plan.Release)
	}
}

// counted formats the number of objects per action: "3 to change, 2 to remove, 670 unchanged".
func counted(count map[plan.Action]int, total int) string {
	var parts []string
	for _, c := range []struct {
		action plan.Action
		words  string
	}{
		{plan.Create, "new"}, {plan.Adopt, "to adopt"}, {plan.Change, "to change"}, {plan.Recreate, "to recreate"}, {plan.Rejected, "rejected"},
	} {
		if n := count[c.action]; n > 0 {
			parts, total = append(parts, fmt.Sprintf("%d %s", n, c.words)), total-n
		}
	}
	if total > 0 {
		parts = append(parts, fmt.Sprintf("%d unchanged", total))
	}
	for _, c := range []struct {
		action plan.Action
		words  string
	}{{plan.Delete, "to remove"}, {plan.Keep, "obsolete but kept"}} {
		if n := count[c.action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.words))
		}
	}
	return strings.Join(parts, ", ")
}

func creators(makers map[string]int) string {
	if len(makers) == 0 {
		return "created by an unknown field manager"
	}
	var parts []string
	for _, maker := range slices.Sorted(maps.Keys(makers)) {
		parts = append(parts, fmt.Sprintf("%d created by %s", makers[maker], cmp.Or(maker, "an unknown field manager")))
	}
	return strings.Join(parts, ", ")
}

func stepName(step plan.Step) string {
	if step.Component == "" {
		return "(earlier)"
	}
	return step.Component
}

// stepObjects lists the objects of a step, up to maxNamed by name; and each one that is deleted outside of Kubeflow's namespaces. The
// names of CRDs, which repeat their groups, are counted by these.
func stepObjects(step plan.Step) string {
	var names []string
	groups := map[string]int{}
	named := 0
	for _, ref := range step.Objects {
		switch {
		case step.Action == plan.Delete && !inventory.InKubeflow(ref):
			names = append(names, ref.String())
			named++
		case ref.GroupKind() == kube.CustomResourceDefinitionKind:
			_, group, _ := strings.Cut(ref.Name, ".")
			groups[group]++
			named++
		case len(names) < maxNamed:
			names = append(names, ref.String())
			named++
		}
	}
	for i, group := range slices.Sorted(maps.Keys(groups)) {
		if i == maxNamed {
			names = append(names, "CRDs of "+text.Plural(len(groups)-i, "more group"))
			break
		}
		names = append(names, fmt.Sprintf("%d CRDs of %s", groups[group], group))
	}
	text := strings.Join(names, ", ")
	if more := len(step.Objects) - named; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if step.Reason != "" {
		text += " (" + step.Reason + ")"
	}
	return text
}

// ask asks for confirmation, unless --yes was given. downgrade reports whether the user agreed to an older release, which
// requires --allow-downgrade without a terminal.
func (o *installOptions) ask(ctx context.Context, plan *kubeflow.InstallPlan, question string) (downgrade bool, err error) {
	asksDowngrade := plan.Downgrade() && !o.allow.downgrade
	switch {
	case plan.Writes() == 0:
		return o.allow.downgrade, nil
	case asksDowngrade && (o.yes || !o.Screen().Interactive):
		return false, plan.RefuseDowngrade()
	case o.yes:
		return o.allow.downgrade, nil
	case !o.Screen().Interactive:
		return false, o.MustAsk("Confirm with --yes, or preview with --dry-run=server or --diff")
	case asksDowngrade:
		question = fmt.Sprintf("Downgrade Kubeflow from %s to %s?", plan.InstalledRelease(), plan.Release)
	}
	yes, err := o.Screen().Confirm(ctx, question)
	if err == nil && !yes {
		err = cli.ErrCancelled
	}
	return plan.Downgrade(), err
}
