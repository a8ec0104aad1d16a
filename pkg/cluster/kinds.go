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

// Kinds returns every kind that the server keeps, asked anew, and the groups whose own API server does not answer.
func (c *Client) Kinds() (kinds []Kind, dead []schema.GroupVersion, err error) {
	c.Forget()
	lists, err := c.discovery.ServerPreferredResources()
	var partial *discovery.ErrGroupDiscoveryFailed
	if errors.As(err, &partial) {
		for group := range partial.Groups {
			dead = append(dead, group)
		}
		err = nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, nil, err
		}
		for _, resource := range list.APIResources {
			if kept(resource) {
				kinds = append(kinds, Kind{schema.GroupKind{Group: group.Group, Kind: resource.Kind}, resource.Name, resource.Namespaced})
			}
		}
	}
	slices.SortFunc(kinds, func(a, b Kind) int { return cmp.Compare(a.String(), b.String()) })
	slices.SortFunc(dead, func(a, b schema.GroupVersion) int { return cmp.Compare(a.String(), b.String()) })
	return kinds, dead, nil
}

func kept(resource metav1.APIResource) bool {
	return slices.Contains(resource.Verbs, "list") && slices.Contains(resource.Verbs, "delete")
}
