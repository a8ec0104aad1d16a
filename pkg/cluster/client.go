package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
)

// A Client is a connection to one cluster, and the only writer in this program.
type Client struct {
	Config  *rest.Config
	Context string // the kubeconfig context in use; "" in a pod
	Dynamic dynamic.Interface
	Kube    kubernetes.Interface // for subresources that have no unstructured form: access reviews, logs

	metadata  metadata.Interface
	typed     rest.Interface // for lists of which only some fields are kept
	discovery discovery.CachedDiscoveryInterface
	mapper    meta.RESTMapper
	mu        sync.RWMutex
	learned   map[schema.GroupVersionKind]meta.RESTMapping
	reached   atomic.Bool     // the server has answered something
	life      context.Context // of the program; see EndWith
	asked     atomic.Int64    // when the first request was sent, in nanoseconds
	clock     atomic.Int64    // how far the server's clock is ahead of ours, as a time.Duration
}

// Connect opens the cluster that kubectl's connection flags choose. It asks the server nothing yet.
func Connect(getter genericclioptions.RESTClientGetter) (*Client, error) {
	config, current, err := configuration(getter)
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.QPS = -1 // the server's own priority and fairness decides, not a client-side guess
	c := &Client{Config: config, Context: current, learned: map[schema.GroupVersionKind]meta.RESTMapping{}}
	wrap := func(config *rest.Config) *rest.Config {
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return answers{next, c} })
		return config
	}
	wrap(config)
	if flags, ok := getter.(*genericclioptions.ConfigFlags); ok { // which makes the clients for discovery itself
		own := flags.WrapConfigFn
		defer func() { flags.WrapConfigFn = own }()
		flags.WrapConfigFn = func(config *rest.Config) *rest.Config {
			if own != nil {
				config = own(config)
			}
			return wrap(config)
		}
	}
	if c.Dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, unconfigured(err)
	}
	if c.Kube, err = kubernetes.NewForConfig(config); err != nil {
		return nil, unconfigured(err)
	}
	if c.metadata, err = metadata.NewForConfig(config); err != nil {
		return nil, unconfigured(err)
	}
	if c.typed, err = typedClient(config); err != nil {
		return nil, unconfigured(err)
	}
	if c.discovery, err = getter.ToDiscoveryClient(); err != nil {
		return nil, unconfigured(err)
	}
	if c.mapper, err = getter.ToRESTMapper(); err != nil {
		return nil, unconfigured(err)
	}
	return c, nil
}

// Server returns the address of the API server, as it may be shown.
func (c *Client) Server() string { return redact.URL(c.Config.Host) }

// EndWith gives up connecting when a context ends: what asks for the kinds of a server has no context of its own. Call it before the
// first request.
func (c *Client) EndWith(ctx context.Context) { c.life = ctx }

// Reached reports whether the server has answered anything.
func (c *Client) Reached() bool { return c.reached.Load() }

// Options say how a Change is done.
type Options struct {
	Manager string // the field manager; required
	DryRun  bool   // the server checks and answers, and keeps nothing
	Force   bool   // Apply takes fields over from other managers
	Whole   bool   // Delete lets the object stay until everything it owns is gone: a Deployment until its pods are
	Orphan  bool   // Delete leaves what the object owns, without an owner
}

// Do makes a Change and returns the object as the server now has it; nil after a Delete.
// A Patch or Restart of an object that another client changed after it was read ends with a conflict (apierrors.IsConflict).
func (c *Client) Do(ctx context.Context, change Change, o Options) (*unstructured.Unstructured, error) {
	ref := change.Ref()
	resource, err := c.resource(ref)
	if err != nil {
		return nil, err
	}
	var after *unstructured.Unstructured
	switch change.Verb {
	case Apply:
		after, err = c.apply(ctx, resource, change.After, o)
	case Create:
		after, err = resource.Create(ctx, change.After, metav1.CreateOptions{FieldManager: o.Manager, DryRun: dryRun(o)})
	case Patch, Restart:
		after, err = c.patch(ctx, resource, change, o)
	case Delete:
		err = c.delete(ctx, resource, change.Before, o)
	default:
		err = fmt.Errorf("no such verb %q", change.Verb)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", doing[change.Verb], ref, err)
	}
	return after, nil
}

// doing says in a word what a verb does, for errors.
var doing = map[Verb]string{Apply: "applying", Create: "creating", Patch: "patching", Delete: "deleting", Restart: "restarting"}

func (c *Client) apply(ctx context.Context, in dynamic.ResourceInterface, o *unstructured.Unstructured, opt Options) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	return in.Patch(ctx, o.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{
		FieldManager: opt.Manager, Force: &opt.Force, DryRun: dryRun(opt),
	})
}

func (c *Client) patch(ctx context.Context, in dynamic.ResourceInterface, change Change, opt Options) (*unstructured.Unstructured, error) {
	body, err := operations(change.Before, change.After)
	if err != nil || body == nil {
		return change.Before, err
	}
	return in.Patch(ctx, change.After.GetName(), types.JSONPatchType, unchangedSince(change.Before, body), metav1.PatchOptions{
		FieldManager: opt.Manager, DryRun: dryRun(opt),
	})
}

// unchangedSince makes the server refuse a patch with a conflict when the object is no longer the one that was looked at.
func unchangedSince(before *unstructured.Unstructured, operations []byte) []byte {
	version := before.GetResourceVersion()
	if version == "" {
		return operations
	}
	head := fmt.Sprintf(`[{"op":"replace","path":"/metadata/resourceVersion","value":%q},`, version)
	return append([]byte(head), operations[1:]...)
}

// Revert sends RFC 6902 operations, as [Change.Inverse] makes them, to one object.
// When a test among them fails the server answers with apierrors.IsInvalid and changes nothing.
func (c *Client) Revert(ctx context.Context, ref Ref, operations []byte, o Options) (*unstructured.Unstructured, error) {
	in, err := c.resource(ref)
	if err != nil {
		return nil, err
	}
	after, err := in.Patch(ctx, ref.Name, types.JSONPatchType, operations, metav1.PatchOptions{FieldManager: o.Manager, DryRun: dryRun(o)})
	if err != nil {
		return nil, fmt.Errorf("putting back %s: %w", ref, err)
	}
	return after, nil
}

func (c *Client) delete(ctx context.Context, in dynamic.ResourceInterface, o *unstructured.Unstructured, opt Options) error {
	options := metav1.DeleteOptions{DryRun: dryRun(opt)}
	propagation := metav1.DeletePropagationBackground
	if opt.Whole {
		propagation = metav1.DeletePropagationForeground
	}
	if opt.Orphan {
		propagation = metav1.DeletePropagationOrphan
	}
	options.PropagationPolicy = &propagation
	if uid := o.GetUID(); uid != "" {
		options.Preconditions = &metav1.Preconditions{UID: &uid}
	}
	return in.Delete(ctx, o.GetName(), options)
}

func dryRun(o Options) []string {
	if o.DryRun {
		return []string{metav1.DryRunAll}
	}
	return nil
}
