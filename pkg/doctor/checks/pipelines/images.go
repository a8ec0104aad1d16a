package pipelines

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/images"
)

var Images = &doctor.Check{
	ID:    "pipelines/images",
	Title: "All images are still available from their registries",
	Why: "The registries that older releases use have been shut down: gcr.io/ml-pipeline, gcr.io/kubeflow-images-public and others. Running " +
		"pods use the copy cached on their node; on a new node, or after an install, they end up in ImagePullBackOff. A few images have a " +
		"replacement; of most, only a private copy remains.",
	FixNote: "--fix switches to the replacement if there is one, which restarts the pods (--allow-restart); install does so before it applies " +
		"anything. For the others, name a registry that has them: install --image gcr.io/ml-pipeline=REGISTRY/ml-pipeline.",
	Sources: []string{"kubeflow/pipelines#10891", "kubeflow/pipelines#12422", "kubeflow/pipelines#7904", "kubeflow/manifests#2876"},
	Reads:   []schema.GroupKind{kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind, kube.ConfigMapKind, kube.PodKind, kube.NamespaceKind},
	Writes: []doctor.Write{
		{Kind: kube.DeploymentKind, In: workloads.Namespaces, Fields: imageFields},
		{Kind: kube.StatefulSetKind, In: workloads.Namespaces, Fields: imageFields},
		{Kind: kube.DaemonSetKind, In: workloads.Namespaces, Fields: imageFields},
		{Kind: kube.ConfigMapKind, In: workloads.Namespaces, Fields: []string{"/data/*"}},
	},
	Preflight: true,
	Run:       runImages,
}

// The texts of the findings.
const (
	unavailableMessage = "%s can no longer be pulled: %s"
	unavailableImpact  = "A pod that is scheduled to a node without a cached copy does not start."
	unavailableCause   = "The registries that this release uses have been shut down."
	backOffImpact      = "Pods are in ImagePullBackOff for %s."
	noRegistryAdvice   = "No public registry is known to have them. Name your own registry that has them, or choose a newer release."
	replaceFix         = "Switch to the replacement images: %s"
)

// An imageUse is an object that references unavailable images.
type imageUse struct {
	object *unstructured.Unstructured
	images []string
}

func runImages(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
	gone, err := unavailableImages(ctx, e)
	if err != nil {
		return nil, err
	}
	objects, err := objectsWithImages(ctx, e)
	if err != nil {
		return nil, err
	}
	var replaced, lost []imageUse
	for _, o := range objects {
		var r, l []string
		for _, image := range images.Find(o, gone) {
			if _, replaceable := replacement(image, gone); replaceable {
				r = append(r, image)
			} else {
				l = append(l, image)
			}
		}
		if len(r) > 0 {
			replaced = append(replaced, imageUse{o, r})
		}
		if len(l) > 0 {
			lost = append(lost, imageUse{o, l})
		}
	}
	if len(replaced)+len(lost) == 0 {
		return nil, nil
	}
	pods, err := workloads.KubeflowPods(ctx, e)
	if err != nil {
		return nil, err
	}
	return imageFindings(replaced, lost, gone, failedImages(pods)), nil
}

// unavailableImages returns the unavailable images of the release; of all releases if the installed one is unknown.
func unavailableImages(ctx context.Context, e doctor.Exam) ([]images.Rule, error) {
	known := e.Release
	if known == nil {
		var err error
		if known, err = doctor.Recognise(ctx, e); err != nil && !apierrors.IsNotFound(err) {
			return nil, err
		}
	}
	releases := release.All()
	if known != nil {
		releases = []release.Release{*known}
	}
	return goneImages(releases), nil
}

// Shipped reports whether a value is an image of a release that can no longer be pulled. Those in lists that users choose from,
// such as the form of the notebook spawner, are named by no field of their own.
func Shipped(value string) bool {
	return redact.Image(value) && slices.ContainsFunc(allGone(), func(r images.Rule) bool {
		rest, ok := strings.CutPrefix(value, strings.TrimSuffix(r.From, "/"))
		return ok && strings.Contains(r.From, "/") && (rest == "" || strings.ContainsAny(rest[:1], "/:@-"))
	})
}

var allGone = sync.OnceValue(func() []images.Rule { return goneImages(release.All()) })

func goneImages(releases []release.Release) []images.Rule {
	var rules []images.Rule
	for _, r := range releases {
		for _, g := range r.Gone {
			if rule := (images.Rule{From: g.Image, To: g.Instead}); !slices.Contains(rules, rule) {
				rules = append(rules, rule)
			}
		}
	}
	slices.SortStableFunc(rules, func(a, b images.Rule) int { return len(b.From) - len(a.From) }) // the most specific first
	return rules
}

// replacement returns the image that replaces another.
func replacement(image string, gone []images.Rule) (string, bool) {
	o := &unstructured.Unstructured{Object: map[string]any{"image": image}}
	o, changed := images.Rewrite(o, gone)
	return kube.Text(o.Object, "image"), changed
}

// objectsWithImages returns the objects in Kubeflow's own namespaces that may reference images. Those in profile namespaces are created from them.
func objectsWithImages(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	objects, err := workloads.ListKubeflow(ctx, e, kube.DeploymentKind, kube.StatefulSetKind, kube.DaemonSetKind, kube.ConfigMapKind)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool { // this program's records contain previous images
		return strings.HasPrefix(o.GetName(), "kubectl-kubeflow-")
	}), nil
}

// failedImages returns the images that could not be pulled.
func failedImages(pods []*unstructured.Unstructured) map[string]bool {
	missing := map[string]bool{}
	for _, pod := range pods {
		for _, c := range kube.Containers(pod) {
			if c.ImagePullFailed() {
				missing[c.Image] = true
			}
		}
	}
	return missing
}

// imageFields are where a workload names images.
var imageFields = []string{
	"/spec/template/spec/containers/*/image", "/spec/template/spec/initContainers/*/image",
	"/spec/template/spec/containers/*/args/*", "/spec/template/spec/containers/*/command/*", "/spec/template/spec/containers/*/env/*/value",
}

func imageFindings(replaced, lost []imageUse, gone []images.Rule, missing map[string]bool) []doctor.Finding {
	var findings []doctor.Finding
	if len(replaced) > 0 {
		f := unavailableFinding(replaced, missing)
		f.Fix = &doctor.Fix{Title: fmt.Sprintf(replaceFix, text.Names(distinctImages(replaced), text.Most, func(image string) string {
			with, _ := replacement(image, gone)
			return with
		})), Impact: doctor.RestartsPods}
		for _, use := range replaced {
			f.Fix.Changes = append(f.Fix.Changes, cluster.Edit(use.object, func(o *unstructured.Unstructured) {
				edited, _ := images.Rewrite(o, gone)
				o.Object = edited.Object
			}))
		}
		findings = append(findings, f)
	}
	if len(lost) > 0 {
		f := unavailableFinding(lost, missing)
		var flags []string
		for _, prefix := range rulePrefixes(distinctImages(lost), gone) {
			flags = append(flags, "--image", prefix+"=REGISTRY"+prefix[strings.LastIndex(prefix, "/"):])
		}
		f.Advice = noRegistryAdvice
		f.Command = "kubectl kubeflow install " + escape.Words(flags...)
		findings = append(findings, f)
	}
	return findings
}

// unavailableFinding reports unavailable images; it is an error if a pod is already waiting for one.
func unavailableFinding(uses []imageUse, missing map[string]bool) doctor.Finding {
	all := distinctImages(uses)
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(uses[0].object)},
		Message:     fmt.Sprintf(unavailableMessage, text.Plural(len(all), "image"), text.Names(all, text.Most, func(s string) string { return s })),
		Consequence: unavailableImpact,
		Cause:       unavailableCause,
	}
	if waiting := slices.DeleteFunc(slices.Clone(all), func(image string) bool { return !missing[image] }); len(waiting) > 0 {
		f.Severity = doctor.Error
		f.Consequence = fmt.Sprintf(backOffImpact, text.Names(waiting, text.Most, func(s string) string { return s }))
	}
	return f
}

func distinctImages(uses []imageUse) []string {
	var all []string
	for _, u := range uses {
		all = append(all, u.images...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// rulePrefixes returns the prefixes of the rules that match the images.
func rulePrefixes(lost []string, gone []images.Rule) []string {
	var prefixes []string
	for _, image := range lost {
		o := &unstructured.Unstructured{Object: map[string]any{"image": image}}
		for _, r := range gone {
			if len(images.Find(o, []images.Rule{r})) > 0 {
				prefixes = append(prefixes, strings.TrimSuffix(r.From, "/"))
				break
			}
		}
	}
	slices.Sort(prefixes)
	return slices.Compact(prefixes)
}
