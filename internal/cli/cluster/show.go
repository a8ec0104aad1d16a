package cluster

import (
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow/deviceplugin"
)

// A document is the result of --dry-run.
type document struct {
	APIVersion   string       `json:"apiVersion"`
	Kind         string       `json:"kind"`
	Subscription string       `json:"subscription"`
	Release      string       `json:"release"`
	Sizing       string       `json:"sizing"`
	Requests     []azure.Step `json:"requests"`
	Objects      []applied    `json:"objects,omitempty"`
}

// An applied is an object that is applied in the cluster when it is there.
type applied struct {
	Why    string         `json:"why"`
	Object map[string]any `json:"object"`
}

// objects are those that the creation applies in the cluster.
func (o *createOptions) objects(options azure.Options) []applied {
	if options.GPU == nil || unreachable(options) != "" {
		return nil
	}
	return []applied{{deviceplugin.Why, deviceplugin.Object(o.rules).Object}}
}

const apiVersion = "kubeflow.cluster/v1alpha1"

func (o *createOptions) print(r azure.Request) error {
	if o.output == "bicep" {
		bicep, err := r.Bicep()
		if err == nil {
			_, err = fmt.Fprint(o.Out, bicep)
		}
		return err
	}
	steps, err := r.Steps()
	if err != nil {
		return err
	}
	format := o.output
	if format == "" {
		format = "yaml"
	}
	return cli.PrintDocument(o.Out, format, document{apiVersion, "ClusterRequest", r.Options.Subscription, r.Options.Release.Version, r.Options.Sizing(), steps, o.objects(r.Options)})
}

// showChecks prints a line for all checks that passed, and one for each warning and problem.
func (o *createOptions) showChecks(results []azure.Result) {
	s := o.Screen()
	var passed []string
	for _, r := range results {
		if len(r.Problems) == 0 && r.Detail != "" {
			passed = append(passed, strings.TrimSuffix(fmt.Sprintf("%s: %s", r.Name, r.Detail), ": "))
		}
	}
	if len(passed) > 0 && !o.Quiet {
		s.Hanging(o.ErrOut, fmt.Sprintf("Preflight  %s ", s.Done()), len("Preflight  ✓ ")-2, strings.Join(passed, "; "))
	}
	for _, r := range results {
		for _, warning := range r.Warnings {
			s.Say("Warning: %s", warning)
		}
		for _, p := range r.Problems {
			if _, count := azure.FirstProblem(results); count == 1 {
				break // it is the error that the command ends with
			}
			s.Say("%s %s: %s\n%s", s.Paint(ui.Red, s.Sign("✗", "x")), r.Name, p.What, p.Next)
		}
	}
}

// showPlan says what is created, or continued.
func (o *createOptions) showPlan(p *azure.Plan) {
	if o.Quiet {
		return
	}
	s, r := o.Screen(), p.Request.Options
	if p.State != "" {
		s.Say("Cluster %s exists, in state %s: going on with it", r.Name, p.State)
		return
	}
	s.Say("New cluster %s in resource group %s, %s, subscription %s", r.Name, r.ResourceGroup, r.Location, r.Subscription)
	s.Say("  Kubernetes %s, for %s", r.KubernetesVersion, r.Release)
	s.Say("  %s", nodes(r.NodeSize, r.Nodes, false))
	s.Hanging(o.ErrOut, "    ", 4, r.Sizing())
	if r.GPU != nil {
		plugin := "; then NVIDIA's device plugin: AKS installs the driver alone"
		if unreachable(r) != "" { // what to do then is said when the cluster is ready
			plugin = ""
		}
		s.Say("  %s, for GPUs%s", nodes(r.GPU.Size, r.GPU.Nodes, r.Spot), plugin)
	}
	s.Say("  Costs: https://azure.microsoft.com/pricing/calculator/   Every setting: --dry-run")
}

func nodes(size string, r azure.Range, spot bool) string {
	kind := "node"
	if spot {
		kind = "spot node"
	}
	if r.Autoscaled() {
		return fmt.Sprintf("%s %ss of %s", r, kind, size)
	}
	return fmt.Sprintf("%s of %s", text.Plural(int(r.Min), kind), size)
}

// line shows text of Azure in one line.
func line(text string) string { return escape.Line(text) }
