package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// EachPage calls visit with each page of the metadata of all objects of a kind, and with how many are left after it. If a page takes so
// long that the server no longer has the list, it begins again: visit can see an object twice.
func (c *Client) EachPage(ctx context.Context, kind schema.GroupVersionKind, size int64, visit func(page []metav1.PartialObjectMetadata, left int64) error) error {
	mapping, err := c.Mapping(kind)
	if err != nil {
		return err
	}
	options := metav1.ListOptions{Limit: size}
	for {
		list, err := c.metadata.Resource(mapping.Resource).List(ctx, options)
		if apierrors.IsResourceExpired(err) && options.Continue != "" {
			options.Continue = ""
			continue
		}
		if err != nil {
			return fmt.Errorf("listing %s: %w", mapping.Resource.GroupResource(), err)
		}
		left := int64(0)
		if list.RemainingItemCount != nil {
			left = *list.RemainingItemCount
		}
		if err := visit(list.Items, left); err != nil {
			return err
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return nil
		}
	}
}

// Touch sends an empty patch: the server stores the object again if its stored form is an old one, and changes nothing else.
func (c *Client) Touch(ctx context.Context, ref Ref, o Options) error {
	in, err := c.resource(ref)
	if err != nil {
		return err
	}
	if _, err := in.Patch(ctx, ref.Name, types.MergePatchType, []byte("{}"), metav1.PatchOptions{FieldManager: o.Manager, DryRun: dryRun(o)}); err != nil {
		return fmt.Errorf("storing %s again: %w", ref, err)
	}
	return nil
}

// SetStoredVersions records in a CRD's status in which versions objects are stored.
func (c *Client) SetStoredVersions(ctx context.Context, crd Ref, versions []string, o Options) error {
	in, err := c.resource(crd)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"storedVersions": versions}})
	if err != nil {
		return err
	}
	_, err = in.Patch(ctx, crd.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: o.Manager, DryRun: dryRun(o)}, "status")
	return err
}
