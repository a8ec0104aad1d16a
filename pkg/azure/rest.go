package azure

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// What Azure answers outside of AKS: the few fields that are read. These calls are single requests, so the SDK's pipeline is
// enough for them: its modules for them would make the program larger by more than AKS's own.
type (
	// A Subscription is what clusters are paid with.
	Subscription struct {
		ID     string `json:"subscriptionId"`
		Name   string `json:"displayName"`
		State  string `json:"state"`
		Tenant string `json:"tenantId"`

		Policies struct {
			Quota string `json:"quotaId"` // names the offer: PayAsYouGo_2014-09-01
		} `json:"subscriptionPolicies"`
	}

	// A Group is a resource group.
	Group struct {
		Location string            `json:"location"`
		Tags     map[string]string `json:"tags,omitempty"`
	}

	// A Usage is a quota of a region.
	Usage struct {
		Name struct {
			Value string `json:"value"`
			Label string `json:"localizedValue"`
		} `json:"name"`
		Current int64 `json:"currentValue"`
		Limit   int64 `json:"limit"`
	}

	// A SKU is a size of virtual machines in a region.
	SKU struct {
		Name         string        `json:"name"`
		Kind         string        `json:"resourceType"`
		Family       string        `json:"family"`
		LocationInfo []skuLocation `json:"locationInfo"`
		Restrictions []restriction `json:"restrictions"`
		Capabilities []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"capabilities"`
	}
	skuLocation struct {
		Location string   `json:"location"`
		Zones    []string `json:"zones"`
	}
	restriction struct {
		Type   string `json:"type"` // Location or Zone
		Reason string `json:"reasonCode"`
		Info   struct {
			Zones []string `json:"zones"`
		} `json:"restrictionInfo"`
	}

	// A Permission is what a role of the caller permits.
	Permission struct {
		Actions    []string `json:"actions"`
		NotActions []string `json:"notActions"`
	}

	// A Subnet is where nodes get their addresses.
	Subnet struct {
		Properties struct {
			Prefix   string     `json:"addressPrefix"`
			Prefixes []string   `json:"addressPrefixes"`
			Used     []struct{} `json:"ipConfigurations"`
		} `json:"properties"`
	}

	// A Resource is anything in a resource group.
	Resource struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Type string `json:"type"`
	}
)

// request makes one request. path begins with a slash and holds api-version; a body of nil is none.
func (c *Client) request(ctx context.Context, method, path string, body, into any) (*http.Response, error) {
	if err := c.open(); err != nil {
		return nil, err
	}
	return c.requestAt(ctx, method, runtime.JoinPaths(c.rest.Endpoint(), path), body, into)
}

func (c *Client) requestAt(ctx context.Context, method, address string, body, into any) (*http.Response, error) {
	req, err := runtime.NewRequest(ctx, method, address)
	if err != nil {
		return nil, fmt.Errorf("making a request: %w", err)
	}
	req.Raw().Header.Set("Accept", "application/json")
	if body != nil {
		if err := runtime.MarshalAsJSON(req, body); err != nil {
			return nil, fmt.Errorf("encoding a request: %w", err)
		}
	}
	resp, err := c.rest.Pipeline().Do(req)
	if err != nil {
		return nil, err
	}
	if !runtime.HasStatusCode(resp, http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent) {
		return resp, runtime.NewResponseError(resp)
	}
	if into == nil {
		return resp, nil
	}
	return resp, runtime.UnmarshalAsJSON(resp, into)
}

// mostPages bounds lists: the longest real one, of the VM sizes of a region, has one page.
const mostPages = 100

// list reads all pages of a list.
func list[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	if err := c.open(); err != nil {
		return nil, err
	}
	var all []T
	next := runtime.JoinPaths(c.rest.Endpoint(), path)
	for range mostPages {
		var page struct {
			Value    []T    `json:"value"`
			NextLink string `json:"nextLink"`
		}
		if err := c.sameHost(next); err != nil {
			return nil, err
		}
		if _, err := c.requestAt(ctx, http.MethodGet, next, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Value...)
		if next = page.NextLink; next == "" {
			break
		}
	}
	return all, nil
}

// sameHost refuses to follow a link to another server, which would get the token.
func (c *Client) sameHost(link string) error {
	to, err := url.Parse(link)
	home, homeErr := url.Parse(c.rest.Endpoint())
	if err != nil || homeErr != nil || to.Host != home.Host || to.Scheme != "https" {
		return fmt.Errorf("azure refers to another server: %q", link)
	}
	return nil
}

func get[T any](ctx context.Context, c *Client, path string) (T, error) {
	var out T
	_, err := c.request(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

func groupID(subscription, group string) string {
	return "/subscriptions/" + subscription + "/resourceGroups/" + group
}
