package plan

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// PodTemplate returns the pod template of a workload, nil for other kinds.
func PodTemplate(o *unstructured.Unstructured) map[string]any {
	switch o.GroupVersionKind().GroupKind().String() {
	case "Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "ReplicaSet.apps", "Job.batch", "ReplicationController":
		return kube.Map(o.Object, "spec", "template")
	case "CronJob.batch":
		return kube.Map(o.Object, "spec", "jobTemplate", "spec", "template")
	case "Pod":
		return o.Object
	}
	return nil
}

func TemplateLabels(template map[string]any) map[string]string {
	set, _, _ := unstructured.NestedStringMap(template, "metadata", "labels")
	return set
}

// podNeeds returns the objects that a pod needs to start: its ServiceAccount, configuration and volumes.
func podNeeds(template map[string]any, namespace string) []cluster.Ref {
	var needs []cluster.Ref
	add := func(kind, name string) {
		if name != "" {
			needs = append(needs, cluster.Ref{Kind: kind, Namespace: namespace, Name: name})
		}
	}
	spec := kube.Map(template, "spec")
	add("ServiceAccount", kube.Text(spec, "serviceAccountName"))
	add("ServiceAccount", kube.Text(spec, "serviceAccount"))
	for _, secret := range kube.Items(spec, "imagePullSecrets") {
		add("Secret", kube.Text(secret, "name"))
	}
	for _, volume := range kube.Items(spec, "volumes") {
		add("Secret", kube.Text(volume, "secret", "secretName"))
		add("ConfigMap", kube.Text(volume, "configMap", "name"))
		add("PersistentVolumeClaim", kube.Text(volume, "persistentVolumeClaim", "claimName"))
		for _, source := range kube.Items(volume, "projected", "sources") {
			add("Secret", kube.Text(source, "secret", "name"))
			add("ConfigMap", kube.Text(source, "configMap", "name"))
		}
	}
	for _, container := range append(kube.Items(spec, "initContainers"), kube.Items(spec, "containers")...) {
		for _, from := range kube.Items(container, "envFrom") {
			add("Secret", kube.Text(from, "secretRef", "name"))
			add("ConfigMap", kube.Text(from, "configMapRef", "name"))
		}
		for _, variable := range kube.Items(container, "env") {
			add("Secret", kube.Text(variable, "valueFrom", "secretKeyRef", "name"))
			add("ConfigMap", kube.Text(variable, "valueFrom", "configMapKeyRef", "name"))
		}
	}
	return needs
}
