package references

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// A configuration is a ConfigMap whose values are YAML or JSON, and what they refer to.
type configuration struct {
	name  string // a prefix ends in "-": kustomize adds a hash
	edges []edge
}

const (
	noArtifacts = "Workflows cannot read or write artifacts."
	noServer    = "The pods that are created from it are rejected."
)

// secretsOf are where the repositories of artifacts of Argo Workflows name Secrets, and keys of them beside.
var secretsOf = []string{
	"s3.{accessKeySecret,secretKeySecret,sessionTokenSecret,caSecret}.name", "azure.accountKeySecret.name", "gcs.serviceAccountKeySecret.name",
	"oss.{accessKeySecret,secretKeySecret}.name", "artifactory.{usernameSecret,passwordSecret}.name",
}

// configurations are those of Pipelines, Katib, the volumes web app and KServe. What their controllers create is in the namespaces of users:
// a name there is looked for in any namespace.
var configurations = []configuration{
	{"workflow-controller-configmap", append(repositories("data.artifactRepository.", "data.config.artifactRepository."),
		edge{field: "data.config.persistence.{postgresql,mysql}.{userNameSecret,passwordSecret}.name", to: kube.SecretKind, keys: "key", soft: true, effect: "The workflow controller does not start."},
		edge{field: "data.persistence.{postgresql,mysql}.{userNameSecret,passwordSecret}.name", to: kube.SecretKind, keys: "key", soft: true, effect: "The workflow controller does not start."},
		edge{field: "data.workflowDefaults.spec.serviceAccountName", to: kube.ServiceAccountKind, anywhere: true, effect: noServer},
		edge{field: "data.config.workflowDefaults.spec.serviceAccountName", to: kube.ServiceAccountKind, anywhere: true, effect: noServer},
	)},
	{"artifact-repositories", repositories("data.{}.")},
	{"ml-pipeline-ui-configmap", one(edge{field: "data.{}.spec.serviceAccountName", to: kube.ServiceAccountKind, anywhere: true, effect: noServer})},
	{"volumes-web-app-viewer-spec-", one(edge{field: "data.{}.podSpec.serviceAccountName", to: kube.ServiceAccountKind, anywhere: true, effect: noServer})},
	{"katib-config", one(
		edge{field: "data.suggestion.{}.serviceAccountName", to: kube.ServiceAccountKind, anywhere: true, effect: noServer},
		edge{field: "data.{}.runtime.{suggestions,earlyStoppings,metricsCollectors}[].serviceAccountName", to: kube.ServiceAccountKind, anywhere: true, effect: noServer},
		edge{field: "data.{}.runtime.suggestions[].persistentVolumeClaimSpec.storageClassName", to: kube.StorageClassKind, effect: noVolume},
		edge{field: "data.{}.init.certGenerator.{serviceName,webhookServiceName}", to: kube.ServiceKind, soft: true, effect: "The API server cannot call the webhook."},
		edge{field: "data.{}.init.certGenerator.webhookSecretName", to: kube.SecretKind, soft: true, effect: "The API server cannot call the webhook."},
	)},
	{"inferenceservice-config", one(edge{field: "data.ingress.{ingressGateway,kserveIngressGateway,localGateway,knativeLocalGateway}", read: configuredGateway, effect: "Models have no address."})},
}

// repositories returns the edges of repositories of artifacts at these places.
func repositories(at ...string) []edge {
	var list []edge
	for _, prefix := range at {
		for _, field := range secretsOf {
			list = append(list, edge{field: prefix + field, to: kube.SecretKind, keys: "key", soft: true, effect: noArtifacts})
		}
	}
	return list
}

// configuredGateway reads a Gateway as "NAMESPACE/NAME", or as KServe's older versions write it, "NAME.NAMESPACE".
func configuredGateway(p place) target {
	name := valueOf(p)
	if before, after, found := strings.Cut(name, "."); found && !strings.Contains(name, "/") && !strings.Contains(after, ".") {
		return target{gatewayKind, after, before}
	}
	if !strings.Contains(name, "/") {
		return target{}
	}
	return gateway(p)
}

// followConfigurations follows what the configuration of controllers refers to.
func (k *known) followConfigurations(g *gaps) {
	for _, o := range k.of(kube.ConfigMapKind) {
		for _, c := range configurations {
			if !workloads.IsSystem(o.GetNamespace()) || !c.is(o.GetName()) {
				continue
			}
			opened := open(o)
			for _, e := range c.edges {
				places(opened, e.field, func(p place) { k.followConfigured(e, p, g) })
			}
		}
	}
}

func (c configuration) is(name string) bool {
	return name == c.name || strings.HasSuffix(c.name, "-") && strings.HasPrefix(name, c.name)
}

// open returns a ConfigMap whose values are what their text means. Values that are no YAML, or only a text, stay as they are.
func open(configMap *unstructured.Unstructured) *unstructured.Unstructured {
	data := map[string]any{}
	for key, value := range kube.Map(configMap.Object, "data") {
		data[key] = value
		content, _ := value.(string)
		var parsed map[string]any
		if bounded.Unmarshal(content, &parsed) == nil && len(parsed) > 0 {
			data[key] = parsed
		}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": configMap.GetAPIVersion(), "kind": configMap.GetKind(), "metadata": configMap.Object["metadata"], "data": data,
	}}
}

// followConfigured follows an edge of a configuration. A name that is looked for in any namespace is wrong if none has it, and it is a slip away
// from one that exists.
func (k *known) followConfigured(e edge, p place, g *gaps) {
	if !e.anywhere {
		k.followOne(e, p, g)
		return
	}
	name := valueOf(p)
	if name == "" || strings.ContainsAny(name, "${") {
		return
	}
	var names []string
	for _, in := range k.objects[e.to] {
		if in[name] != nil {
			return
		}
		for other := range in {
			names = append(names, other)
		}
	}
	slices.Sort(names)
	if near := text.Closest(name, slices.Compact(names)); near != "" {
		g.add(p, gap{what: e.to.Kind + " " + name, near: e.to.Kind + " " + near, soft: true, effect: e.effect})
	}
}
