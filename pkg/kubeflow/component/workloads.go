package component

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/status"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// restartable are the kinds of workloads that have pods which are replaced.
var restartable = []string{"Deployment", "StatefulSet", "DaemonSet"}

// Workloads returns the workloads of a component, as the status knows them, or the one workload of that name. An unknown name is a
// usage error that lists the components.
func Workloads(ctx context.Context, client *cluster.Client, name string) ([]*unstructured.Unstructured, error) {
	overview, err := kubeflow.ReadStatus(ctx, client, kubeflow.StatusOptions{All: true})
	if err != nil {
		return nil, err
	}
	refs, err := choose(overview.Components, name)
	if err != nil {
		return nil, err
	}
	view := client.View()
	var found []*unstructured.Unstructured
	for _, ref := range refs {
		o, err := cluster.IgnoreNotFound(view.Get(ctx, ref))
		if err != nil {
			return nil, err
		}
		if o != nil {
			found = append(found, o)
		}
	}
	if len(found) == 0 {
		return nil, &problem.Error{What: fmt.Sprintf("component %s has no Deployment, StatefulSet or DaemonSet on the cluster", name), Next: "See what it has with: kubectl kubeflow status --tree -o wide"}
	}
	return found, nil
}

// choose returns the workloads of a component, or those of a workload's name.
func choose(components []status.Component, name string) ([]cluster.Ref, error) {
	var names []string
	var named []cluster.Ref
	for _, c := range components {
		var refs []cluster.Ref
		for _, item := range c.Items {
			if slices.Contains(restartable, item.Ref.Kind) && strings.HasPrefix(item.Ref.APIVersion, "apps/") {
				refs = append(refs, item.Ref)
				if item.Ref.Name == name {
					named = append(named, item.Ref)
				}
			}
		}
		if c.Name == name {
			return refs, nil
		}
		names = append(names, c.Name)
	}
	if len(named) > 0 {
		return named, nil
	}
	next := "Specify one of: " + strings.Join(names, ", ")
	if near := text.Nearest(name, names); near != "" {
		next = "Did you mean: " + near + "?"
	}
	return nil, &problem.Error{Usage: true, What: fmt.Sprintf("there is no component or workload %q", name), Next: next}
}
