package install

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// leave is what a user allows an install to do beyond the usual.
type leave struct{ recreate, downgrade bool }

func (l *leave) flags(f *pflag.FlagSet) {
	f.BoolVar(&l.recreate, "recreate", false, "delete and make anew what cannot be changed in place; never what holds data")
	f.BoolVar(&l.downgrade, "allow-downgrade", false, "put an older release in the place of a newer one")
}

// named is how many objects of a step are named.
const named = 3

// done says in a word what a step does.
var done = map[plan.Action]string{
	plan.Create: "new", plan.Adopt: "take over", plan.Change: "change", plan.Recreate: "make anew",
	plan.Rejected: "refused", plan.Delete: "remove", plan.Keep: "keep",
}

// sayPlan says what becomes of what is on the cluster: not for a first install, where everything is new.
func (o *installOptions) sayPlan(p *kubeflow.InstallPlan) {
	o.sayReleases(p)
	for _, share := range p.Overlaps() {
		o.Screen().Say("Note: %s of these belong to the installation %s as well, and stay until both are uninstalled: %s",
			text.Plural(len(share.Objects), "object"), share.With.Name, text.Names(share.Objects, 5, cluster.Ref.String))
	}
	steps := p.Steps()
	count := map[plan.Action]int{}
	for _, step := range steps {
		count[step.Action] += len(step.Objects)
	}
	if p.FirstInstall() {
		o.Screen().Say("%d objects, all of them new", len(p.Objects))
		return
	}
	o.Screen().Say("%d objects: %s", len(p.Objects), counted(count, len(p.Objects)))
	if adopted := count[plan.Adopt]; adopted > 0 {
		o.Screen().Say("%d of %d objects are there already and were not put there by this program: they are taken over (%s). What changes on each: --diff",
			adopted, len(p.Objects), hands(p.PreviousManagers()))
	}
	if dirs := o.dirs; p.FromKfctl {
		o.Screen().Say("%s made by kfctl: its objects are taken over, not made anew. Each change: kubectl kubeflow install --dir %s --diff", strings.Join(dirs, ", "), strings.Join(dirs, " --dir "))
	}
	width := 0
	for _, step := range steps {
		width = max(width, len(stepName(step)))
	}
	for _, step := range steps {
		o.Screen().Say("  %-*s  %-9s  %s", width, stepName(step), done[step.Action], stepObjects(step))
	}
}

func (o *installOptions) sayReleases(plan *kubeflow.InstallPlan) {
	switch from := plan.InstalledRelease(); {
	case plan.MixesReleases():
		o.Screen().Say("Note: this takes %s out of Kubeflow %s, and the rest stays at %s", strings.Join(plan.Stages(), ", "), plan.Release, from)
	case plan.Downgrade():
		o.Screen().Say("This goes back from Kubeflow %s to %s. What the newer one has made of its data may be unreadable for the older one", from, plan.Release)
	case from != "" && plan.Release != "" && from != plan.Release:
		o.Screen().Say("Upgrading from Kubeflow %s to %s", from, plan.Release)
	}
}

// counted says how many objects each action is about: "3 to change, 2 to remove, 670 as they are".
func counted(count map[plan.Action]int, total int) string {
	var parts []string
	for _, c := range []struct {
		action plan.Action
		words  string
	}{
		{plan.Create, "new"}, {plan.Adopt, "to take over"}, {plan.Change, "to change"}, {plan.Recreate, "to make anew"}, {plan.Rejected, "refused"},
	} {
		if n := count[c.action]; n > 0 {
			parts, total = append(parts, fmt.Sprintf("%d %s", n, c.words)), total-n
		}
	}
	if total > 0 {
		parts = append(parts, fmt.Sprintf("%d as they are", total))
	}
	for _, c := range []struct {
		action plan.Action
		words  string
	}{{plan.Delete, "to remove"}, {plan.Keep, "no longer wanted and kept"}} {
		if n := count[c.action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.words))
		}
	}
	return strings.Join(parts, ", ")
}

func hands(makers map[string]int) string {
	if len(makers) == 0 {
		return "made by hands unknown"
	}
	var parts []string
	for _, maker := range slices.Sorted(maps.Keys(makers)) {
		parts = append(parts, fmt.Sprintf("%d made by %s", makers[maker], cmp.Or(maker, "unknown hands")))
	}
	return strings.Join(parts, ", ")
}

func stepName(step plan.Step) string {
	if step.Component == "" {
		return "(earlier)"
	}
	return step.Component
}

// stepObjects names the objects of a step, and of many only the first.
func stepObjects(step plan.Step) string {
	var names []string
	for _, ref := range step.Objects[:min(len(step.Objects), named)] {
		names = append(names, ref.String())
	}
	text := strings.Join(names, ", ")
	if more := len(step.Objects) - named; more > 0 {
		text = fmt.Sprintf("%d: %s, ...", len(step.Objects), text)
	}
	if step.Reason != "" {
		text += " (" + step.Reason + ")"
	}
	return text
}

// consent asks whether to go on, and what needs more than a yes for more than that. back tells that an older release is agreed to.
func (o *installOptions) consent(ctx context.Context, plan *kubeflow.InstallPlan, question string) (back bool, err error) {
	asks := plan.Downgrade() && !o.leave.downgrade
	switch {
	case plan.Writes() == 0:
		return o.leave.downgrade, nil
	case asks && (o.yes || !o.Screen().Interactive):
		return false, plan.RefuseDowngrade()
	case o.yes:
		return o.leave.downgrade, nil
	case !o.Screen().Interactive:
		return false, &problem.Error{Usage: true, What: "an install changes the cluster, and there is no terminal to ask on", Next: "Say yes with --yes, or look first with --dry-run=server or --diff"}
	case asks:
		question = fmt.Sprintf("Go back from Kubeflow %s to %s?", plan.InstalledRelease(), plan.Release)
	}
	yes, err := o.Screen().Confirm(ctx, question)
	if err == nil && !yes {
		err = &problem.Error{What: "nothing was changed", Next: "To look first: kubectl kubeflow install --diff"}
	}
	return plan.Downgrade(), err
}
