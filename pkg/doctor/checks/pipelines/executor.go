package pipelines

import (
	"context"
	"fmt"
	"regexp"

	"github.com/Masterminds/semver/v3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/nodes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/yamledit"
)

var Executor = &doctor.Check{
	ID:    "pipelines/executor",
	Title: "Workflow executor matches the container runtime",
	Why: "Argo runs pipeline steps through an executor. The docker executor mounts /var/run/docker.sock, which containerd nodes do not " +
		"have, so every step hangs in ContainerCreating. From Argo 3.4 (Kubeflow 1.9) on there is only one executor, and the old " +
		"containerRuntimeExecutor setting crashes the workflow controller with a fatal error.",
	FixNote: "Up to Argo 3.3, --fix sets the executor to pns and changes nothing else in the ConfigMap. From Argo 3.4 on it removes the " +
		"setting. Both restart the workflow controller, which does not interrupt running steps. Restart runs that already hang.",
	Sources: []string{"argoproj/argo-workflows#5243", "kubeflow/kubeflow#5899", "https://argo-workflows.readthedocs.io/en/latest/upgrading/"},
	Reads:   []schema.GroupKind{kube.ConfigMapKind, kube.DeploymentKind, kube.NodeKind},
	Writes: []doctor.Write{
		{Kind: kube.ConfigMapKind, In: []string{workloads.Namespace}, Names: []string{"workflow-controller-configmap", "workflow-controller-parameters"},
			Fields: []string{"/data/config", "/data/" + executorKey, "/data/" + yamledit.ExecutorsKey}},
		{Kind: kube.DeploymentKind, In: []string{workloads.Namespace}, Names: []string{"workflow-controller"}, Restart: true},
	},
	Run: runExecutor,
}

// The texts of the findings.
const (
	invalidYAMLMessage    = "the workflow controller's configuration is not valid YAML: "
	invalidYAMLImpact     = "The workflow controller does not start, or keeps its previous configuration."
	invalidYAMLAdvice     = "Correct the YAML by hand."
	dockerMessage         = "the workflow executor %s, but containerd runs on %s"
	dockerImpact          = "Every pipeline step scheduled there hangs in ContainerCreating, waiting for /var/run/docker.sock."
	dockerCause           = "AKS nodes run containerd from Kubernetes 1.19 on; this release was built for Docker."
	dockerAdvice          = "Restart runs that already hang."
	dockerSet             = "is set to docker"
	dockerSetForSome      = "is docker for some workflows (" + yamledit.ExecutorsKey + ")"
	dockerByDefault       = "is not set, which defaults to docker in Argo %s"
	ignoredKeysCause      = " Keys other than data.config are ignored by Argo %s: set the value inside data.config."
	dockerFix             = "Set the workflow executor to pns"
	unsupportedKeyMessage = "%s is set, but Argo %s does not support it"
	unsupportedKeyImpact  = "The workflow controller exits with a fatal error when it reads its configuration: no pipeline starts."
	unsupportedKeyCause   = "Argo 3.4 removed all executors but one and rejects unknown settings; guides for older releases still tell you to set it."
	unsupportedKeyAdvice  = "Remove the key; the remaining executor does not need Docker."
	unsupportedKeyFix     = "Remove the workflow executor setting"
	extraKeysMessage      = "unexpected key beside data.config: %s (Argo %s accepts data.config only)"
	extraKeysImpact       = "The workflow controller rejects its configuration: it does not start, or keeps the previous one."
	extraKeysCause        = "A setting was added as a separate key instead of inside data.config."
	extraKeysAdvice       = "Move what is needed into data.config and remove the other keys."
	extraKeysFix          = "Remove the key that Argo rejects"
)

// An executorInput is what the executor check judges.
type executorInput struct {
	config     *unstructured.Unstructured
	parameters *unstructured.Unstructured // what kfctl would set the executor from again; may be nil
	controller *unstructured.Unstructured
	executor   executorConfig
	argo       *semver.Version
	nodes      []*unstructured.Unstructured
}

func runExecutor(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
	var p executorInput
	var err error
	if p.config, err = configMap(ctx, e, "workflow-controller-configmap"); err != nil {
		return nil, err
	}
	if p.config == nil {
		return nil, doctor.Skip("Kubeflow Pipelines is not installed in namespace %s", workloads.Namespace)
	}
	if p.parameters, err = configMap(ctx, e, "workflow-controller-parameters"); err != nil {
		return nil, err
	}
	p.controller, err = e.Get(ctx, cluster.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: workloads.Namespace, Name: "workflow-controller"})
	if apierrors.IsNotFound(err) {
		return nil, doctor.Skip("there is no workflow-controller in namespace %s", workloads.Namespace)
	} else if err != nil {
		return nil, err
	}
	image, _ := kube.TemplateContainer(p.controller, "workflow-controller")["image"].(string)
	if p.argo, err = argoVersion(image); err != nil {
		return nil, err
	}
	if p.executor, err = readExecutor(p.config); err != nil {
		return []doctor.Finding{invalidYAMLFinding(p.config, err)}, nil
	}
	if p.nodes, err = nodes.LinuxNodes(ctx, e); err != nil && p.argo.LessThan(singleExecutorSince) {
		return nil, err
	}
	return executorFindings(p), nil
}

func configMap(ctx context.Context, e doctor.Exam, name string) (*unstructured.Unstructured, error) {
	o, err := e.Get(ctx, cluster.Ref{APIVersion: "v1", Kind: "ConfigMap", Namespace: workloads.Namespace, Name: name})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return o, err
}

// versionTag finds the version in a tag such as v3.1.6-patch-license-compliance: what follows is the packager's, not a pre-release.
var versionTag = regexp.MustCompile(`^v?(\d+\.\d+\.\d+)`)

func argoVersion(image string) (*semver.Version, error) {
	tag := kube.ParseImage(image).Tag
	match := versionTag.FindStringSubmatch(tag)
	if match == nil {
		return nil, fmt.Errorf("the tag of image %q does not show its Argo version", image)
	}
	return semver.NewVersion(match[1])
}

// Versions of Argo at which the rules change.
var (
	singleKeySince      = semver.MustParse("2.7.0") // data.config must be the only key
	singleExecutorSince = semver.MustParse("3.4.0") // one executor only, and an unknown key is fatal
)

func executorFindings(p executorInput) []doctor.Finding {
	c := p.executor
	switch {
	case c.singleKey && len(c.extra) > 0 && !p.argo.LessThan(singleKeySince):
		return []doctor.Finding{extraKeysFinding(p)}
	case !p.argo.LessThan(singleExecutorSince) && (c.set || c.hasList):
		return []doctor.Finding{unsupportedKeyFinding(p)}
	case !p.argo.LessThan(singleExecutorSince):
		return nil
	}
	affected := 0
	for _, n := range p.nodes {
		if nodes.RunsContainerd(n) {
			affected++
		}
	}
	if affected == 0 || c.effective(p.argo) != "docker" && !c.usesDocker() {
		return nil
	}
	return []doctor.Finding{dockerFinding(p, affected)}
}

func (p executorInput) about(field string) doctor.Subject {
	return doctor.Subject{Ref: cluster.RefOf(p.config), Field: field}
}

func invalidYAMLFinding(config *unstructured.Unstructured, err error) doctor.Finding {
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(config), Field: "data"},
		Message:     invalidYAMLMessage + err.Error(),
		Consequence: invalidYAMLImpact,
		Advice:      invalidYAMLAdvice,
		Command:     "kubectl edit configmap -n kubeflow workflow-controller-configmap",
	}
}

func dockerFinding(p executorInput, affected int) doctor.Finding {
	how := dockerSet
	switch {
	case p.executor.effective(p.argo) != "docker":
		how = dockerSetForSome
	case p.executor.value == "":
		how = fmt.Sprintf(dockerByDefault, p.argo)
	}
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       p.about(p.executor.field()),
		Message:     fmt.Sprintf(dockerMessage, how, text.Plural(affected, "node")),
		Consequence: dockerImpact,
		Cause:       dockerCause,
		Advice:      dockerAdvice,
		Command:     "kubectl edit configmap -n kubeflow workflow-controller-configmap",
	}
	if len(p.executor.extra) > 0 {
		f.Cause += fmt.Sprintf(ignoredKeysCause, p.argo)
	}
	main := p.executor.effective(p.argo) == "docker"
	if main && !p.executor.singleKey {
		f.Command = `kubectl patch configmap -n kubeflow workflow-controller-configmap --type merge -p '{"data":{"` + executorKey + `":"pns"}}'`
	}
	f.Fix = p.newFix(dockerFix, func(o *unstructured.Unstructured) error {
		return setExecutor(o, p.executor, main, "pns")
	})
	if p.parameters != nil && f.Fix != nil && kube.Text(p.parameters.Object, "data", executorKey) == "docker" {
		f.Fix.Changes = append(f.Fix.Changes, cluster.Edit(p.parameters, func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(o.Object, "pns", "data", executorKey)
		}))
	}
	return f
}

func unsupportedKeyFinding(p executorInput) doctor.Finding {
	key := executorKey
	if !p.executor.set {
		key = yamledit.ExecutorsKey
	}
	return doctor.Finding{
		Severity:    doctor.Error,
		About:       p.about(p.executor.field()),
		Message:     fmt.Sprintf(unsupportedKeyMessage, key, p.argo),
		Consequence: unsupportedKeyImpact,
		Cause:       unsupportedKeyCause,
		Advice:      unsupportedKeyAdvice,
		Command:     p.removeCommand(key),
		Fix: p.newFix(unsupportedKeyFix, func(o *unstructured.Unstructured) error {
			return removeExecutor(o, p.executor)
		}),
	}
}

func (p executorInput) removeCommand(key string) string {
	if p.executor.singleKey {
		return "kubectl edit configmap -n kubeflow workflow-controller-configmap"
	}
	return `kubectl patch configmap -n kubeflow workflow-controller-configmap --type json -p '[{"op":"remove","path":"/data/` + escape.Word(key) + `"}]'`
}

func extraKeysFinding(p executorInput) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       p.about("data." + p.executor.extra[0]),
		Message:     fmt.Sprintf(extraKeysMessage, text.Names(p.executor.extra, text.Most, func(s string) string { return s }), p.argo),
		Consequence: extraKeysImpact,
		Cause:       extraKeysCause,
		Advice:      extraKeysAdvice,
		Command:     "kubectl edit configmap -n kubeflow workflow-controller-configmap",
	}
	if len(p.executor.extra) == 1 && p.executor.extra[0] == executorKey {
		f.Fix = p.newFix(extraKeysFix, func(o *unstructured.Unstructured) error {
			unstructured.RemoveNestedField(o.Object, "data", executorKey)
			return nil
		})
	}
	return f
}

// newFix edits the ConfigMap and restarts the controller; nil when the text cannot be edited safely.
func (p executorInput) newFix(title string, edit func(*unstructured.Unstructured) error) *doctor.Fix {
	var failed error
	change := cluster.Edit(p.config, func(o *unstructured.Unstructured) { failed = edit(o) })
	if failed != nil {
		return nil
	}
	return &doctor.Fix{Title: title, Impact: doctor.Safe, Changes: []cluster.Change{change, doctor.RestartOf(p.controller)}}
}
