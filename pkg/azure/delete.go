package azure

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Deletion is what "cluster delete" will delete, and what it keeps.
type Deletion struct {
	Cluster   *Existing
	NodeGroup string     // with the nodes, disks and addresses of the cluster: AKS deletes it
	Others    []Resource // what else is in the resource group
	OurGroup  bool       // this program created the resource group
}

// WithGroup reports whether the resource group is deleted as well: it is this program's, and nothing else is in it.
func (d *Deletion) WithGroup() bool { return d.OurGroup && len(d.Others) == 0 }

// PrepareDelete finds out what a deletion would delete. A cluster that this program did not create is refused.
func (c *Client) PrepareDelete(ctx context.Context, group, name string) (*Deletion, error) {
	e, err := c.mustFind(ctx, group, name)
	switch {
	case err != nil:
		return nil, err
	case !e.Ours():
		return nil, &problem.Error{What: fmt.Sprintf("the cluster %s was not created by this program: it does not have its tags", escape.Line(name)),
			Next: escape.Commandf("Delete it with: az aks delete --resource-group %s --name %s", group, name)}
	}
	d := &Deletion{Cluster: e, NodeGroup: e.group}
	if d.Others, err = c.others(ctx, group, name); err != nil {
		return nil, err
	}
	home, err := c.group(ctx, group)
	if err != nil {
		return nil, err
	}
	d.OurGroup = home != nil && home.Tags[CreatedBy] == Program
	return d, nil
}

// others returns the resources of a group without the cluster.
func (c *Client) others(ctx context.Context, group, name string) ([]Resource, error) {
	all, err := list[Resource](ctx, c, versioned(groupID(c.Subscription, group)+"/resources", versionGroups))
	if notFound(err) {
		return nil, nil
	}
	return slices.DeleteFunc(all, func(r Resource) bool { return strings.EqualFold(r.ID, clusterID(c.Subscription, group, name)) }), c.explain(err, "listing resource group "+escape.Line(group))
}

func (c *Client) mustFind(ctx context.Context, group, name string) (*Existing, error) {
	if !validName.MatchString(name) || !validGroup.MatchString(group) {
		return nil, &problem.Error{Usage: true, What: "the name of the cluster or of the resource group is invalid", Next: "To see both: kubectl kubeflow cluster list"}
	}
	if err := c.FindSubscription(ctx); err != nil {
		return nil, err
	}
	e, err := c.cluster(ctx, group, name)
	if err == nil && e == nil {
		return nil, &problem.Error{What: fmt.Sprintf("there is no cluster %s in resource group %s (ResourceNotFound)", escape.Line(name), escape.Line(group)), Next: "To see the clusters: kubectl kubeflow cluster list --all"}
	}
	return e, err
}

// Delete deletes the cluster, and then its resource group if that is this program's and still holds nothing else.
func (c *Client) Delete(ctx context.Context, d *Deletion, progress Progress) error {
	group, name := d.Cluster.ResourceGroup, d.Cluster.Name
	doing := "deleting cluster " + escape.Line(name)
	err := c.deleteCluster(ctx, d, progress)
	if err != nil && ctx.Err() != nil {
		return unfinished(ctx, doing, "Follow it with the same command: "+deleteCommand(group, name))
	}
	if err != nil {
		return c.explain(err, doing)
	}
	if !d.WithGroup() {
		return nil
	}
	left, err := c.others(ctx, group, name)
	if err != nil || len(left) > 0 { // something was put there meanwhile
		return err
	}
	return c.deleteGroup(ctx, group, progress)
}

func (c *Client) deleteCluster(ctx context.Context, d *Deletion, progress Progress) error {
	progress.step("Deleting cluster %s: sending the request", d.Cluster.Name)
	poller, err := c.clusters.BeginDelete(ctx, d.Cluster.ResourceGroup, d.Cluster.Name, nil)
	if err != nil {
		return err
	}
	return wait(ctx, c, poller, "Deleting cluster "+d.Cluster.Name, progress)
}

// deleteGroup deletes a resource group, and follows the operation at the address that Azure names.
func (c *Client) deleteGroup(ctx context.Context, group string, progress Progress) error {
	doing := "deleting resource group " + escape.Line(group)
	resp, err := c.request(ctx, http.MethodDelete, versioned(groupID(c.Subscription, group), versionGroups), nil, nil)
	for err == nil && resp.StatusCode == http.StatusAccepted && resp.Header.Get("Location") != "" {
		progress.step("Deleting resource group %s", group)
		next := resp.Header.Get("Location")
		if err = c.sameHost(next); err != nil {
			break
		}
		if err = kube.Sleep(ctx, after(resp)); err == nil {
			resp, err = c.requestAt(ctx, http.MethodGet, next, nil, nil)
		}
	}
	if err != nil && ctx.Err() != nil {
		return unfinished(ctx, doing, escape.Commandf("To see whether it is gone: az group exists --name %s", group))
	}
	return c.explain(err, doing)
}

// Start starts a stopped cluster.
func (c *Client) Start(ctx context.Context, group, name string, progress Progress) error {
	if _, err := c.mustFind(ctx, group, name); err != nil {
		return err
	}
	poller, err := c.clusters.BeginStart(ctx, group, name, nil)
	if err == nil {
		err = wait(ctx, c, poller, "Starting cluster "+name, progress)
	}
	return c.ended(ctx, err, "starting cluster "+escape.Line(name), group, name)
}

// Stop stops a cluster: its nodes are deallocated, and what is on the disks stays.
func (c *Client) Stop(ctx context.Context, group, name string, progress Progress) error {
	if _, err := c.mustFind(ctx, group, name); err != nil {
		return err
	}
	poller, err := c.clusters.BeginStop(ctx, group, name, nil)
	if err == nil {
		err = wait(ctx, c, poller, "Stopping cluster "+name, progress)
	}
	return c.ended(ctx, err, "stopping cluster "+escape.Line(name), group, name)
}

func (c *Client) ended(ctx context.Context, err error, doing, group, name string) error {
	if err != nil && ctx.Err() != nil {
		return unfinished(ctx, doing, escape.Commandf("To see its state: kubectl kubeflow cluster list --all --resource-group %s", group))
	}
	return c.explain(err, doing)
}
