package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
)

// delays are the times from scheduling to start: a default, and exceptions by a part of the image name.
type delays struct {
	name    string
	usual   time.Duration
	byImage map[string]time.Duration
}

var (
	// quickImages are pulled from a nearby registry.
	quickImages = delays{"quick", 5 * time.Second, nil}
	// slowImages are pulled from a distant registry, and some are large.
	slowImages = delays{"slow", 20 * time.Second, map[string]time.Duration{
		"/pilot": 30 * time.Second, "cert-manager-webhook": 25 * time.Second,
		"kserve": 40 * time.Second, "katib": 40 * time.Second, "mysql": 45 * time.Second,
	}}
)

// flags returns the sandbox's flags for these delays.
func (d delays) flags() []string {
	flags := []string{"--start-delay=" + d.usual.String()}
	for part, delay := range d.byImage {
		flags = append(flags, fmt.Sprintf("--delay=%s=%s", part, delay))
	}
	return flags
}

// loop runs the official loop and waits until the workloads are ready.
func (d delays) loop(b *bench, ctx context.Context, f figures, kubeconfig string) error {
	began := time.Now()
	if err := b.untilApplied(ctx, figures{}, kubeconfig); err != nil {
		return err
	}
	client, err := b.connect(kubeconfig)
	if err != nil {
		return err
	}
	for {
		ready, err := workloadsReady(ctx, client.View())
		if err != nil {
			return err
		}
		if ready {
			f.add(d.name+" loop", time.Since(began).Seconds())
			return nil
		}
		time.Sleep(500 * time.Millisecond)
	}
}

var workloads = []schema.GroupKind{
	{Group: "apps", Kind: "Deployment"}, {Group: "apps", Kind: "StatefulSet"}, {Group: "apps", Kind: "DaemonSet"}, {Group: "batch", Kind: "Job"},
}

func workloadsReady(ctx context.Context, view cluster.View) (bool, error) {
	for _, kind := range workloads {
		list, err := view.List(ctx, kind, cluster.Scope{})
		if err != nil {
			return false, err
		}
		for _, o := range list {
			if ready, _ := cluster.Ready(o); !ready {
				return false, nil
			}
		}
	}
	return true, nil
}

// install runs kubectl kubeflow install with a cold cache, and computes the longest chain of gates in its plan.
func (d delays) install(b *bench, ctx context.Context, f figures, kubeconfig string) error {
	chain, err := b.longestChain(ctx, kubeconfig, d.pulling)
	if err != nil {
		return err
	}
	f.add(d.name+" install: longest chain", chain.Seconds())
	cache, err := os.MkdirTemp(b.work, "cache-")
	if err != nil {
		return err
	}
	r, took, err := b.installWith(ctx, kubeconfig, cache, "--release=26.03", "--mirror="+b.mirror, "--skip-verify")
	if err != nil {
		return err
	}
	f.add(d.name+" install", took)
	f.add(d.name+" install: ready", r.ReadySeconds)
	return nil
}

func (b *bench) longestChain(ctx context.Context, kubeconfig string, pulling func(plan.Gated) time.Duration) (time.Duration, error) {
	client, err := b.connect(kubeconfig)
	if err != nil {
		return 0, err
	}
	rendered, err := b.rendered(ctx)
	if err != nil {
		return 0, err
	}
	request := plan.Request{Name: "kubeflow", Namespace: rendered.Namespace, Components: rendered.Components}
	p, err := plan.New(ctx, request, nil, client.View(), client.Mapping)
	if err != nil {
		return 0, err
	}
	chain, _ := longestChain(p.Objects, pulling)
	return chain, nil
}

// pulling returns how long an object's pods take to start: a node pulls the images of a pod in parallel.
func (d delays) pulling(g plan.Gated) time.Duration {
	longest := time.Duration(0)
	for _, image := range images(g.Object.Object) {
		delay := d.usual
		for part, slow := range d.byImage {
			if strings.Contains(image, part) {
				delay = slow
			}
		}
		longest = max(longest, delay)
	}
	return longest
}

// images returns the images of a workload's pod template.
func images(o map[string]any) []string {
	var workload struct {
		Spec struct {
			Template corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o, &workload); err != nil {
		return nil // not a workload
	}
	var all []string
	spec := workload.Spec.Template.Spec
	for _, c := range append(spec.InitContainers, spec.Containers...) {
		all = append(all, c.Image)
	}
	return all
}
