package azure

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	aks "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v9"
	"golang.org/x/sync/errgroup"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// Facts are what Azure says about the subscription and the region, before anything is created.
type Facts struct {
	Subscription Subscription
	Portal       string
	Providers    map[string]string // registration state by namespace
	Offers       []Offer
	SKUs         []SKU // of the sizes that are asked for
	Usage        []Usage
	Network      []Usage
	Group        *Group // nil if it does not exist
	Permissions  []Permission
	Subnet       *Subnet
	Clusters     []*Existing // of the subscription
}

// namespaces are the providers without which no cluster can be created.
var namespaces = []string{"Microsoft.ContainerService", "Microsoft.Compute", "Microsoft.Network"}

// FindSubscription completes the client's subscription: the only enabled one, if none is named and az has no default.
func (c *Client) FindSubscription(ctx context.Context) error {
	if c.Subscription != "" {
		return nil
	}
	all, err := list[Subscription](ctx, c, versioned("/subscriptions", versionSubscriptions))
	if err != nil {
		return c.explain(err, "listing the subscriptions")
	}
	all = slices.DeleteFunc(all, func(s Subscription) bool { return s.State != "Enabled" })
	if len(all) != 1 {
		return &problem.Error{Usage: true, What: "no subscription is chosen", Next: "Specify its ID with --subscription; to see it: az account list -o table"}
	}
	c.Subscription = all[0].ID
	c.once, c.restErr = sync.Once{}, nil // the clients of AKS name the subscription
	return nil
}

// ReadFacts asks Azure for everything that the checks decide on.
func (c *Client) ReadFacts(ctx context.Context, o Options) (*Facts, error) {
	f := &Facts{Portal: c.Cloud.Portal, Providers: map[string]string{}}
	home := "/subscriptions/" + c.Subscription
	var err error
	// The subscription comes first: without it all others fail, and with less to say.
	if f.Subscription, err = get[Subscription](ctx, c, versioned(home, versionSubscriptions)); err != nil {
		return nil, c.explain(err, "reading the subscription "+c.Subscription)
	}
	states := make([]string, len(namespaces))
	var work errgroup.Group
	work.SetLimit(4) // Azure limits requests, and each is quick
	for i, namespace := range namespaces {
		work.Go(func() error {
			answer, err := get[struct {
				State string `json:"registrationState"`
			}](ctx, c, versioned(home+"/providers/"+namespace, versionGroups))
			states[i] = answer.State
			return c.explain(err, "reading whether "+namespace+" is registered")
		})
	}
	work.Go(func() (err error) { f.Offers, err = c.offers(ctx, o.Location); return err })
	work.Go(func() (err error) { f.SKUs, err = c.skus(ctx, o); return err })
	work.Go(func() (err error) {
		f.Usage, err = list[Usage](ctx, c, versioned(home+"/providers/Microsoft.Compute/locations/"+o.Location+"/usages", versionUsage))
		return c.explain(err, "reading the vCPU quota of "+o.Location)
	})
	work.Go(func() (err error) {
		f.Network, err = list[Usage](ctx, c, versioned(home+"/providers/Microsoft.Network/locations/"+o.Location+"/usages", versionNetworks))
		return c.explain(err, "reading the quota of public IP addresses of "+o.Location)
	})
	work.Go(func() (err error) { f.Group, f.Permissions, err = c.groupFacts(ctx, o); return err })
	work.Go(func() (err error) { f.Subnet, err = c.subnet(ctx, o); return err })
	work.Go(func() (err error) { f.Clusters, err = c.List(ctx, "", true); return err })
	if err := work.Wait(); err != nil {
		return nil, err
	}
	for i, namespace := range namespaces {
		f.Providers[namespace] = states[i]
	}
	return f, nil
}

// groupFacts reads the resource group, and what the caller may do in it, or where it would be created.
func (c *Client) groupFacts(ctx context.Context, o Options) (*Group, []Permission, error) {
	group, err := c.group(ctx, o.ResourceGroup)
	if err != nil || o.NoRoleAssignment {
		return group, nil, err
	}
	scope := "/subscriptions/" + c.Subscription
	if group != nil {
		scope = groupID(c.Subscription, o.ResourceGroup)
	}
	permissions, err := list[Permission](ctx, c, versioned(scope+"/providers/Microsoft.Authorization/permissions", versionRoles))
	return group, permissions, c.explain(err, "reading your permissions")
}

// group returns a resource group, nil if it does not exist.
func (c *Client) group(ctx context.Context, name string) (*Group, error) {
	group, err := get[Group](ctx, c, versioned(groupID(c.Subscription, name), versionGroups))
	if notFound(err) {
		return nil, nil
	}
	return &group, c.explain(err, "reading the resource group "+escape.Line(name))
}

func (c *Client) subnet(ctx context.Context, o Options) (*Subnet, error) {
	if o.Subnet == "" {
		return nil, nil
	}
	subnet, err := get[Subnet](ctx, c, versioned(o.Subnet, versionNetworks))
	return &subnet, c.explain(err, "reading the subnet of --subnet")
}

// skus returns the sizes that are asked for. The list of a region has several hundred others.
func (c *Client) skus(ctx context.Context, o Options) ([]SKU, error) {
	path := versioned("/subscriptions/"+c.Subscription+"/providers/Microsoft.Compute/skus", versionSKUs) + "&$filter=" + url.QueryEscape("location eq '"+o.Location+"'")
	all, err := list[SKU](ctx, c, path)
	return slices.DeleteFunc(all, func(s SKU) bool {
		return s.Kind != "virtualMachines" || !strings.EqualFold(s.Name, o.NodeSize) && (o.GPU == nil || !strings.EqualFold(s.Name, o.GPU.Size))
	}), c.explain(err, "reading the VM sizes of "+o.Location)
}

func (c *Client) offers(ctx context.Context, location string) ([]Offer, error) {
	if err := c.open(); err != nil {
		return nil, err
	}
	answer, err := c.clusters.ListKubernetesVersions(ctx, location, nil)
	if err != nil {
		return nil, c.explain(err, "reading the Kubernetes versions of "+location)
	}
	var offers []Offer
	for _, v := range answer.Values {
		if v == nil || v.Version == nil {
			continue
		}
		offer := Offer{Minor: *v.Version, Default: is(v.IsDefault), Preview: is(v.IsPreview), Patches: slices.Sorted(maps.Keys(v.PatchVersions))}
		if v.Capabilities != nil && len(v.Capabilities.SupportPlan) > 0 {
			offer.LTS = !slices.ContainsFunc(v.Capabilities.SupportPlan, func(p *aks.KubernetesSupportPlan) bool {
				return p != nil && *p == aks.KubernetesSupportPlanKubernetesOfficial
			})
		}
		offers = append(offers, offer)
	}
	return offers, nil
}

func is(flag *bool) bool { return flag != nil && *flag }

func value(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
