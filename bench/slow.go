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
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install"
)

// How long images take from scheduled to started, here and on the sandbox: most of them, and those that name a part.
const mostImages = 20 * time.Second

var otherImages = map[string]time.Duration{
	"istio/pilot": 30 * time.Second, "cert-manager-webhook": 25 * time.Second,
	"kserve": 40 * time.Second, "katib": 40 * time.Second, "mysql": 45 * time.Second,
}

var slowImages = func() []string {
	flags := []string{"--start-delay=" + mostImages.String()}
	for part, delay := range otherImages {
		flags = append(flags, fmt.Sprintf("--delay=%s=%s", part, delay))
	}
	return flags
}()

// slowLoop is the official loop, until what it applied is ready.
func (b *bench) slowLoop(ctx context.Context, f figures, kubeconfig string) error {
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
			f.add("slow loop", time.Since(began).Seconds())
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

// slowInstall is this program, from a cold cache, beside the longest chain of its plan's gates.
func (b *bench) slowInstall(ctx context.Context, f figures, kubeconfig string) error {
	chain, err := b.longestChain(ctx, kubeconfig)
	if err != nil {
		return err
	}
	f.add("slow install: longest chain", chain.Seconds())
	cache, err := os.MkdirTemp(b.work, "cache-")
	if err != nil {
		return err
	}
	r, took, err := b.plug(ctx, kubeconfig, cache, "--release=26.03", "--mirror="+b.mirror, "--skip-verify")
	if err != nil {
		return err
	}
	f.add("slow install", took)
	f.add("slow install: ready", r.ReadySeconds)
	return nil
}

func (b *bench) longestChain(ctx context.Context, kubeconfig string) (time.Duration, error) {
	client, err := b.connect(kubeconfig)
	if err != nil {
		return 0, err
	}
	rendered, err := b.rendered(ctx)
	if err != nil {
		return 0, err
	}
	request := install.Request{Name: "kubeflow", Namespace: rendered.Namespace, Components: rendered.Components}
	plan, err := install.NewPlan(ctx, request, nil, client.View(), client.Mapping)
	if err != nil {
		return 0, err
	}
	chain, _ := plan.LongestChain(pulling)
	return chain, nil
}

// pulling is how long an object's pods take: a node pulls the images of a pod side by side.
func pulling(g install.Gated) time.Duration {
	longest := time.Duration(0)
	for _, image := range images(g.Object.Object) {
		delay := mostImages
		for part, d := range otherImages {
			if strings.Contains(image, part) {
				delay = d
			}
		}
		longest = max(longest, delay)
	}
	return longest
}

// images are those of a workload's pod template.
func images(o map[string]any) []string {
	var workload struct {
		Spec struct {
			Template corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o, &workload); err != nil {
		return nil // a kind that makes no pods
	}
	var all []string
	spec := workload.Spec.Template.Spec
	for _, c := range append(spec.InitContainers, spec.Containers...) {
		all = append(all, c.Image)
	}
	return all
}
