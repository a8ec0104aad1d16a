package uninstall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/uninstall"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// describe shows what is deleted, what is kept and why, and which data users have.
func (o *uninstallOptions) describe(client *cluster.Client, plan *kubeflow.UninstallPlan) {
	s := o.Screen()
	s.Say("Uninstall %s from context %s at %s", plan.Title(), client.Context, client.Server())
	for _, wave := range plan.Waves {
		kinds := map[string]int{}
		var order []string
		for _, object := range wave.Objects {
			if kinds[object.GetKind()]++; kinds[object.GetKind()] == 1 {
				order = append(order, object.GetKind())
			}
		}
		var parts []string
		for _, kind := range order {
			parts = append(parts, fmt.Sprintf("%d %s", kinds[kind], kind))
		}
		s.Say("  %-21s %4d: %s", wave.Title, len(wave.Objects), brief(parts))
	}
	o.describeOutside(plan)
	o.describeExtras(plan)
	o.describeKept(plan.Keep)
	o.describeData(plan.Data)
}

func brief(parts []string) string {
	const named = 4
	if more := len(parts) - named; more > 1 {
		return fmt.Sprintf("%s and %d more kinds", strings.Join(parts[:named], ", "), more)
	}
	return strings.Join(parts, ", ")
}

// describeOutside names what is deleted outside of Kubeflow's namespaces. Only the CRDs are grouped: their names repeat their groups.
func (o *uninstallOptions) describeOutside(plan *kubeflow.UninstallPlan) {
	kinds := plan.Outside()
	if len(kinds) > 0 {
		o.Screen().Say("Outside of Kubeflow's namespaces, this deletes:")
	}
	for _, refs := range kinds {
		var names []string
		for _, ref := range refs {
			name := ref.Name
			if ref.Namespace != "" {
				name = ref.Namespace + "/" + name
			}
			names = append(names, name)
		}
		if refs[0].GroupKind() == kube.CustomResourceDefinitionKind {
			names = groups(names)
		}
		o.Screen().Paragraph("  " + refs[0].Kind + ": " + strings.Join(names, ", "))
	}
}

// groups counts CRDs by their API group: "3 of kubeflow.org".
func groups(names []string) []string {
	count := map[string]int{}
	for _, name := range names {
		_, group, _ := strings.Cut(name, ".")
		count[group]++
	}
	var out []string
	for _, group := range slices.Sorted(maps.Keys(count)) {
		out = append(out, fmt.Sprintf("%d of %s", count[group], group))
	}
	return out
}

// describeExtras lists what other commands created: an address of the dashboard is deleted, and fixes can no longer be undone.
func (o *uninstallOptions) describeExtras(plan *kubeflow.UninstallPlan) {
	records := 0
	for _, object := range plan.Extras() {
		if object.GetKind() == "Service" || object.GetKind() == "NetworkPolicy" {
			o.Screen().Say("  also deletes %s, created by expose", cluster.RefOf(object))
		} else {
			records++
		}
	}
	if records > 0 {
		o.Screen().Say("  also deletes %s of fixes, which can then no longer be undone", text.Plural(records, "record"))
	}
}

// describeKept lists what is kept, and why.
func (o *uninstallOptions) describeKept(keep []uninstall.Kept) {
	if len(keep) == 0 {
		return
	}
	o.Screen().Say("Kept:")
	const named = 20
	for i, kept := range keep {
		if i == named {
			o.Screen().Say("  and %d more (see them all with --dry-run -o json)", len(keep)-named)
			break
		}
		o.Screen().Say("  %s: %s", kept.Ref, kept.Why)
	}
}

// describeData lists user data, and says whether it is deleted.
func (o *uninstallOptions) describeData(data uninstall.Data) {
	if data.Empty() {
		return
	}
	s := o.Screen()
	if o.deleteData {
		s.Say("User data that is permanently deleted:")
	} else {
		s.Say("User data, which is kept (--delete-data deletes it):")
	}
	if len(data.Profiles) > 0 {
		s.Say("  Profiles: %s", strings.Join(data.Profiles, ", "))
	}
	if len(data.Namespaces) > 0 {
		s.Say("  profile namespaces, with everything in them: %s", strings.Join(data.Namespaces, ", "))
	}
	for _, v := range data.Volumes {
		retained := ""
		if v.Retained != "" {
			retained = fmt.Sprintf("; PersistentVolume %s is kept by its reclaim policy", v.Retained)
		}
		s.Say("  volume %s/%s, %s%s", v.Namespace, v.Name, cmp.Or(v.Size, "of unknown size"), retained)
	}
	for _, c := range data.Objects {
		s.Say("  %d %s", c.Count, c.Kind)
	}
}

// describeLeft lists leftovers: objects without a record that are of no use any more.
func (o *uninstallOptions) describeLeft(left []uninstall.Kept) {
	for _, l := range left {
		o.Screen().Say("Leftover: %s: %s, created by Kubeflow itself after the install. Delete it with: kubectl delete %s %s",
			l.Ref, l.Why, escape.Word(strings.ToLower(l.Ref.Kind)), escape.Word(l.Ref.Name))
	}
}

// reportOnlyKept reports that nothing is left but what an earlier uninstall kept.
func (o *uninstallOptions) reportOnlyKept(client *cluster.Client, plan *kubeflow.UninstallPlan) error {
	o.printed = true
	doc := o.document(client, plan, "kept")
	doc.Removed, doc.Kept = []cluster.Ref{}, plan.Keep
	if o.output == "json" || o.output == "yaml" {
		return cli.PrintDocument(o.Out, o.output, doc)
	}
	o.Screen().Say("Nothing to uninstall on %s except what an earlier uninstall kept.", plan.Cluster())
	o.describeKept(plan.Keep)
	o.describeData(plan.Data)
	return nil
}

// showPlan prints what an uninstall would delete and keep.
func (o *uninstallOptions) showPlan(ctx context.Context, client *cluster.Client, plan *kubeflow.UninstallPlan) error {
	o.printed = true
	var refused error
	if o.dryRun == "server" {
		refused = plan.DryRun(ctx)
	}
	doc := o.document(client, plan, "planned")
	doc.Waves, doc.Outside, doc.Kept, doc.Left = plan.Waves, plan.Beyond, plan.Keep, plan.LeftOvers
	switch o.output {
	case "json", "yaml":
		if refused != nil {
			doc.Error = refused.Error()
		}
		return errors.Join(cli.PrintDocument(o.Out, o.output, doc), refused)
	case "name":
		for _, ref := range plan.Refs() {
			fmt.Fprintln(o.Out, ref)
		}
		return refused
	}
	o.describe(client, plan)
	o.describeLeft(plan.LeftOvers)
	if refused == nil {
		o.Screen().Say("%s would be deleted. Nothing was changed (dry run).", text.Plural(len(plan.Refs()), "object"))
	}
	return refused
}
