package azure

import (
	"cmp"
	"context"
	"slices"

	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v9"
)

// List returns the clusters of the subscription, or of a resource group: those that this program created, or all.
func (c *Client) List(ctx context.Context, group string, all bool) ([]*Existing, error) {
	if err := c.FindSubscription(ctx); err != nil {
		return nil, err
	}
	if err := c.open(); err != nil {
		return nil, err
	}
	var found []*Existing
	keep := func(page []*aks.ManagedCluster) {
		for _, m := range page {
			if m == nil {
				continue
			}
			if e := existing(m); all || e.Ours() {
				found = append(found, e)
			}
		}
	}
	inAll, inGroup := c.clusters.NewListPager(nil), c.clusters.NewListByResourceGroupPager(group, nil)
	for group == "" && inAll.More() {
		page, err := inAll.NextPage(ctx)
		if err != nil {
			return nil, c.explain(err, "listing the clusters")
		}
		keep(page.Value)
	}
	for group != "" && inGroup.More() {
		page, err := inGroup.NextPage(ctx)
		if err != nil {
			return nil, c.explain(err, "listing the clusters of resource group "+group)
		}
		keep(page.Value)
	}
	slices.SortFunc(found, func(a, b *Existing) int {
		return cmp.Or(cmp.Compare(a.ResourceGroup, b.ResourceGroup), cmp.Compare(a.Name, b.Name))
	})
	return found, nil
}
