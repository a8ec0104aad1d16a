package cluster

import (
	"cmp"
	"errors"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// A Kind is a type of object that the server keeps: it can be listed and deleted.
type Kind struct {
	schema.GroupKind
	Resource   string // the plural that a CustomResourceDefinition is named by
	Namespaced bool
}

// Definition returns the name of the CustomResourceDefinition that makes the kind, if one does.
func (k Kind) Definition() string { return k.Resource + "." + k.Group }

// Kinds returns every kind that the server keeps, asked anew. Those of an aggregated API that does not answer are not
// among them.
func (c *Client) Kinds() ([]Kind, error) {
	c.Forget()
	lists, err := c.discovery.ServerPreferredResources()
	var partial *discovery.ErrGroupDiscoveryFailed
	if err != nil && !errors.As(err, &partial) {
		return nil, err
	}
	var kinds []Kind
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, resource := range list.APIResources {
			if kept(resource) {
				kinds = append(kinds, Kind{schema.GroupKind{Group: group.Group, Kind: resource.Kind}, resource.Name, resource.Namespaced})
			}
		}
	}
	slices.SortFunc(kinds, func(a, b Kind) int { return cmp.Compare(a.String(), b.String()) })
	return kinds, nil
}

func kept(resource metav1.APIResource) bool {
	return slices.Contains(resource.Verbs, "list") && slices.Contains(resource.Verbs, "delete")
}
