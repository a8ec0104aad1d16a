package platform

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var OneController = &doctor.Check{
	ID:    "platform/one-controller",
	Title: "Each namespace has one controller of a kind",
	Why: "Another installation of a controller that Kubeflow includes, for example of Argo Workflows, watches all namespaces unless it is told not to. Both " +
		"controllers then process the same objects: runs start twice, stop halfway, or get a status that neither expects.",
	FixNote: "No automatic fix: the second controller may serve others. Limit it to its namespaces, or give it an instance ID, with the command in the finding.",
	Sources: []string{"argoproj/argo-workflows#4036"},
	Reads:   []schema.GroupKind{kube.DeploymentKind, kube.ConfigMapKind},

	Everywhere: true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		all, err := e.List(ctx, kube.DeploymentKind, workloads.EveryDeployment)
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		for _, kind := range controllerKinds {
			var watchers []watcher
			for _, d := range all {
				w, err := kind.watcherOf(ctx, e, d)
				if err != nil {
					return nil, err
				}
				if w != nil {
					watchers = append(watchers, *w)
				}
			}
			findings = append(findings, kind.overlaps(watchers)...)
		}
		return findings, nil
	},
}

// A controllerKind is a controller that a cluster may have several of, as long as they watch different namespaces.
type controllerKind struct {
	handles string // what it reconciles, as a finding says it
	word    string // is in the name or in a label of its Deployment
	image   string // the last part of its image's repository
	own     string // the flag that limits it to its own namespace
	among   string // the flag whose value is the namespaces that it watches
	with    string // what separates it from another one: a key of its configuration
}

var controllerKinds = []controllerKind{
	{handles: "Workflows", word: "workflow-controller", image: "workflow-controller", own: "namespaced", among: "managed-namespace", with: "instanceID"},
	{handles: "Notebooks", word: "notebook", image: "notebook-controller"},
	{handles: "Profiles", word: "profile", image: "profile-controller"},
	{handles: "Experiments", word: "katib", image: "katib-controller"},
	{handles: "InferenceServices", word: "kserve", image: "kserve-controller"},
	{handles: "training jobs", word: "training-operator", image: "training-operator", among: "namespace"},
	{handles: "MPIJobs", word: "mpi-operator", image: "mpi-operator", among: "namespace"},
	{handles: "TrainJobs", word: "trainer", image: "trainer-controller-manager"},
}

// A watcher is a running controller and what it watches.
type watcher struct {
	deployment *unstructured.Unstructured
	namespaces []string // none is all
	instance   string
}

// watcherOf returns what a Deployment watches, nil if it is not such a controller or is scaled to zero.
func (k controllerKind) watcherOf(ctx context.Context, e doctor.Exam, whole *unstructured.Unstructured) (*watcher, error) {
	if !k.suggested(whole) {
		return nil, nil
	}
	replicas, set, _ := unstructured.NestedInt64(whole.Object, "spec", "replicas")
	if set && replicas == 0 {
		return nil, nil
	}
	for _, c := range kube.Items(whole.Object, "spec", "template", "spec", "containers") {
		repository := kube.ParseImage(kube.Text(c, "image")).Repository
		if repository[strings.LastIndex(repository, "/")+1:] != k.image {
			continue
		}
		w := &watcher{deployment: whole}
		args := append(kube.Texts(c, "command"), kube.Texts(c, "args")...)
		if value, given := flagOf(args, k.among); given && value != "" {
			w.namespaces = strings.Split(value, ",")
		} else if value, given := flagOf(args, k.own); given && value != "false" {
			w.namespaces = []string{whole.GetNamespace()}
		}
		var err error
		w.instance, err = k.instanceOf(ctx, e, whole, args)
		return w, err
	}
	return nil, nil
}

func (k controllerKind) suggested(d *unstructured.Unstructured) bool {
	if len(d.GetOwnerReferences()) > 0 { // something creates it for an object
		return false
	}
	return strings.Contains(d.GetName(), k.word) || slices.ContainsFunc(namingLabels, func(label string) bool { return strings.Contains(d.GetLabels()[label], k.word) })
}

// namingLabels are the labels that say which program a Deployment runs.
var namingLabels = []string{"app", "app.kubernetes.io/name", "app.kubernetes.io/component", "control-plane", "k8s-app"}

// instanceOf returns the instance ID in the ConfigMap of a controller, "" if there is none.
func (k controllerKind) instanceOf(ctx context.Context, e doctor.Exam, d *unstructured.Unstructured, args []string) (string, error) {
	name, given := flagOf(args, "configmap")
	if k.with == "" || !given || name == "" {
		return "", nil
	}
	configs, err := e.List(ctx, kube.ConfigMapKind, cluster.Scope{Fields: fields.OneTermEqualSelector("metadata.name", name).String()})
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(configs, func(c *unstructured.Unstructured) bool { return c.GetNamespace() == d.GetNamespace() })
	if i < 0 {
		return "", nil
	}
	config := configs[i]
	if id := kube.Text(config.Object, "data", k.with); id != "" {
		return id, nil
	}
	settings := map[string]any{}
	if bounded.Unmarshal(kube.Text(config.Object, "data", "config"), &settings) != nil {
		return "", nil
	}
	id, _ := settings[k.with].(string)
	return id, nil
}

// flagOf returns the value of a flag: --name=value, --name value, or --name alone.
func flagOf(args []string, name string) (value string, given bool) {
	for i, arg := range args {
		flag, value, assigned := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case name == "" || !strings.HasPrefix(arg, "-") || flag != name:
		case assigned:
			return value, true
		case i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"):
			return args[i+1], true
		default:
			return "", true
		}
	}
	return "", false
}

// overlaps reports each controller that watches a namespace of another one before it. Kubeflow's own come first.
func (k controllerKind) overlaps(watchers []watcher) []doctor.Finding {
	slices.SortStableFunc(watchers, func(a, b watcher) int { return foreign(a) - foreign(b) })
	var findings []doctor.Finding
	for i, second := range watchers {
		first := slices.IndexFunc(watchers[:i], func(first watcher) bool {
			return first.instance == second.instance && meet(first.namespaces, second.namespaces)
		})
		if first >= 0 {
			findings = append(findings, k.finding(watchers[first], second))
		}
	}
	return findings
}

func foreign(w watcher) int {
	if workloads.IsSystem(w.deployment.GetNamespace()) {
		return 0
	}
	return 1
}

// meet reports whether two lists of namespaces have one in common; an empty list is all.
func meet(a, b []string) bool {
	return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(name string) bool { return slices.Contains(b, name) })
}

func (k controllerKind) finding(first, second watcher) doctor.Finding {
	d := second.deployment
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(d), Field: "spec.template.spec.containers"},
		Message:     fmt.Sprintf("%s and %s both handle %s in %s", kube.KindName(first.deployment), kube.KindName(d), k.handles, common(first.namespaces, second.namespaces)),
		Consequence: "Both process the same objects: they start things twice, or revert each other's work.",
		Advice:      "Remove one of them.",
		Command:     fmt.Sprintf("kubectl edit deployment -n %s %s", escape.Word(d.GetNamespace()), escape.Word(d.GetName())),
	}
	var limits []string
	if k.own != "" {
		limits = append(limits, "--"+k.own)
	}
	if k.among != "" {
		limits = append(limits, "--"+k.among+"=NAMESPACE")
	}
	if k.with != "" {
		limits = append(limits, k.with+" in its ConfigMap")
	}
	if len(limits) > 0 {
		f.Cause = fmt.Sprintf("Deployment %s/%s has none of: %s.", d.GetNamespace(), d.GetName(), strings.Join(limits, ", "))
		if len(second.namespaces) > 0 {
			f.Cause = fmt.Sprintf("Deployment %s/%s is limited to %s, but %s watches it too.", d.GetNamespace(), d.GetName(), strings.Join(second.namespaces, ", "), kube.KindName(first.deployment))
		}
		f.Advice = "Limit it to namespaces without Kubeflow's objects (" + strings.Join(limits, ", ") + "), or remove it."
	}
	return f
}

// common says which namespaces two controllers share.
func common(a, b []string) string {
	switch {
	case len(a) == 0 && len(b) == 0:
		return "all namespaces"
	case len(a) == 0:
		a = b
	case len(b) == 0:
		b = a
	}
	return "namespace " + strings.Join(slices.DeleteFunc(slices.Clone(a), func(name string) bool { return !slices.Contains(b, name) }), ", ")
}
