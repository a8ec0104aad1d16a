package install

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// showPlan prints what an install would apply.
func (o *installOptions) showPlan(plan *kubeflow.InstallPlan) error {
	o.printed = true
	switch o.output {
	case "name":
		for _, ref := range plan.Refs() {
			fmt.Fprintln(o.Out, ref)
		}
		return nil
	case "json", "yaml":
		list := []any{}
		for _, g := range plan.Objects {
			list = append(list, g.Object.Object)
		}
		return cli.PrintDocument(o.Out, o.output, map[string]any{"apiVersion": "v1", "kind": "List", "items": list})
	}
	var rows [][]string
	for _, stage := range plan.Stages() {
		objects, writes := 0, 0
		var waits []string
		for _, g := range plan.Objects {
			if g.Stage != stage {
				continue
			}
			if objects++; !g.Unchanged {
				writes++
			}
			for _, gate := range g.Gates {
				if gate.Service.Name != "" && !slices.Contains(waits, gate.Service.Name) {
					waits = append(waits, gate.Service.Name)
				}
			}
		}
		rows = append(rows, []string{stage, fmt.Sprint(objects), fmt.Sprint(writes), strings.Join(waits, ", ")})
	}
	if err := o.Screen().Table([]string{"COMPONENT", "OBJECTS", "TO WRITE", "WAITS FOR WEBHOOK"}, rows); err != nil {
		return err
	}
	o.printAdapted(plan)
	o.Screen().Say("%s:", plan.Title)
	o.printPlan(plan)
	o.Screen().Say("Nothing was changed (dry run).")
	return nil
}
