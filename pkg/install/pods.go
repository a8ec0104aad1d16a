package install

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// podTemplate returns the template of the pods that a workload makes, nil for everything else.
func podTemplate(o *unstructured.Unstructured) map[string]any {
	switch o.GroupVersionKind().GroupKind().String() {
	case "Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "ReplicaSet.apps", "Job.batch", "ReplicationController":
		return dig(o.Object, "spec", "template")
	case "CronJob.batch":
		return dig(o.Object, "spec", "jobTemplate", "spec", "template")
	case "Pod":
		return o.Object
	}
	return nil
}

func templateLabels(template map[string]any) map[string]string {
	set, _, _ := unstructured.NestedStringMap(template, "metadata", "labels")
	return set
}

// podNeeds returns what a pod needs around it before it can start: its account, its configuration, its volumes.
func podNeeds(template map[string]any, namespace string) []cluster.Ref {
	var needs []cluster.Ref
	add := func(kind, name string) {
		if name != "" {
			needs = append(needs, cluster.Ref{Kind: kind, Namespace: namespace, Name: name})
		}
	}
	spec := dig(template, "spec")
	add("ServiceAccount", text(spec, "serviceAccountName"))
	add("ServiceAccount", text(spec, "serviceAccount"))
	for _, secret := range items(spec, "imagePullSecrets") {
		add("Secret", text(secret, "name"))
	}
	for _, volume := range items(spec, "volumes") {
		add("Secret", text(volume, "secret", "secretName"))
		add("ConfigMap", text(volume, "configMap", "name"))
		add("PersistentVolumeClaim", text(volume, "persistentVolumeClaim", "claimName"))
		for _, source := range items(volume, "projected", "sources") {
			add("Secret", text(source, "secret", "name"))
			add("ConfigMap", text(source, "configMap", "name"))
		}
	}
	for _, container := range append(items(spec, "initContainers"), items(spec, "containers")...) {
		for _, from := range items(container, "envFrom") {
			add("Secret", text(from, "secretRef", "name"))
			add("ConfigMap", text(from, "configMapRef", "name"))
		}
		for _, variable := range items(container, "env") {
			add("Secret", text(variable, "valueFrom", "secretKeyRef", "name"))
			add("ConfigMap", text(variable, "valueFrom", "configMapKeyRef", "name"))
		}
	}
	return needs
}
