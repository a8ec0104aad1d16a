package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// A clusterSize is how many objects a cluster has besides Kubeflow's own.
type clusterSize struct {
	nodes, namespaces int
	pods              int // in these namespaces, not Kubeflow's
	users             int // Profiles, each with its namespace, artifact server and notebooks
	podsEach          int // the pods of each user, all without a sidecar; at least one, a notebook
	routes            int // VirtualServices, DestinationRules, NetworkPolicies and AuthorizationPolicies, so many of each, of others
}

// A grower creates objects through the API server.
type grower struct {
	ctx  context.Context
	kube kubernetes.Interface
	any  dynamic.Interface
}

// grow creates the objects that a cluster of one size needs to reach another.
func grow(ctx context.Context, kubeconfig string, from, to clusterSize) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	g := grower{ctx: ctx}
	if g.any, err = dynamic.NewForConfig(config); err != nil {
		return err
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	if g.kube, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	for _, step := range []struct {
		from, to int
		create   func(i int) error
	}{
		{from.nodes, to.nodes, g.node},
		{from.namespaces, to.namespaces, func(i int) error { return g.namespace(fmt.Sprintf("scale-%d", i), nil) }},
		{from.pods, to.pods, func(i int) error {
			return g.pod(fmt.Sprintf("scale-%d", i%to.namespaces), i%to.nodes, fmt.Sprintf("p-%d", i), nil, nil)
		}},
		{from.routes, to.routes, func(i int) error { return g.routes(fmt.Sprintf("scale-%d", i%to.namespaces), i) }},
		{from.users, to.users, func(i int) error { return g.user(i, max(to.podsEach, 1), to.nodes) }},
	} {
		if err := many(step.from, step.to, step.create); err != nil {
			return err
		}
	}
	return nil
}

// many calls do for each number in [from, to), 32 at a time.
func many(from, to int, do func(i int) error) error {
	var next atomic.Int64
	next.Store(int64(from))
	var wait sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range 32 {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < to; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
			}
		})
	}
	wait.Wait()
	return failed
}

func (g grower) namespace(name string, labels map[string]string) error {
	_, err := g.kube.CoreV1().Namespaces().Create(g.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, metav1.CreateOptions{})
	if err == nil { // the API server runs without controllers
		_, err = g.kube.CoreV1().ServiceAccounts(name).Create(g.ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{})
	}
	return err
}

func (g grower) node(i int) error {
	size := corev1.ResourceList{"cpu": resource.MustParse("8"), "memory": resource.MustParse("32Gi"), "pods": resource.MustParse("110")}
	name := fmt.Sprintf("aks-scale-%d", i)
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			"kubernetes.azure.com/cluster": "MC_bench", "kubernetes.azure.com/agentpool": "scale", "kubernetes.azure.com/mode": "user", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
			"node.kubernetes.io/instance-type": "Standard_D8s_v5", "kubernetes.io/hostname": name,
		}},
		Status: corev1.NodeStatus{Allocatable: size, Capacity: size, NodeInfo: corev1.NodeSystemInfo{ContainerRuntimeVersion: "containerd://1.7.30-1", KubeletVersion: "v1.35.4", OperatingSystem: "linux", Architecture: "amd64"}},
	}
	for n := range 50 { // as many as a kubelet reports
		node.Status.Images = append(node.Status.Images, corev1.ContainerImage{SizeBytes: 1 << 28, Names: []string{
			fmt.Sprintf("mcr.microsoft.com/oss/part-%d@sha256:%064d", n, n), fmt.Sprintf("mcr.microsoft.com/oss/part-%d:v1.%d", n, n)}})
	}
	_, err := g.kube.CoreV1().Nodes().Create(g.ctx, node, metav1.CreateOptions{})
	return err
}

// pod creates a pod that runs. Its size is that of an ordinary one.
func (g grower) pod(namespace string, node int, name string, labels map[string]string, owner *metav1.OwnerReference) error {
	resources := corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi")}}
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}, PeriodSeconds: 10}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: corev1.PodSpec{NodeName: fmt.Sprintf("aks-scale-%d", node), Containers: []corev1.Container{
			{Name: "web", Image: "example.com/web:1", Resources: resources, ReadinessProbe: probe, LivenessProbe: probe,
				Env: []corev1.EnvVar{{Name: "NAMESPACE", Value: namespace}, {Name: "NB_PREFIX", Value: "/notebook/" + namespace + "/" + name}}},
			{Name: "log", Image: "example.com/log:1", Resources: resources},
		}},
	}
	if owner != nil {
		pod.OwnerReferences = []metav1.OwnerReference{*owner}
	}
	pod, err := g.kube.CoreV1().Pods(namespace).Create(g.ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1", Conditions: []corev1.PodCondition{
		{Type: corev1.PodReady, Status: corev1.ConditionTrue}, {Type: corev1.PodInitialized, Status: corev1.ConditionTrue},
		{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}, {Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
	}, ContainerStatuses: []corev1.ContainerStatus{
		{Name: "web", Ready: true, State: running, Image: "example.com/web:1"}, {Name: "log", Ready: true, State: running, Image: "example.com/log:1"},
	}}
	_, err = g.kube.CoreV1().Pods(namespace).UpdateStatus(g.ctx, pod, metav1.UpdateOptions{})
	return err
}

// user creates a Profile with what the controllers make of it, and its pods: an artifact server, and notebooks.
func (g grower) user(i, pods, nodes int) error {
	name := fmt.Sprintf("user-%d", i)
	profile := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "kubeflow.org/v1", "kind": "Profile", "metadata": map[string]any{"name": name},
		"spec": map[string]any{"owner": map[string]any{"kind": "User", "name": name + "@example.com"}}}}
	if err := g.create(schema.GroupVersionResource{Group: "kubeflow.org", Version: "v1", Resource: "profiles"}, profile); err != nil {
		return err
	}
	if err := g.namespace(name, map[string]string{"app.kubernetes.io/part-of": "kubeflow-profile", "istio-injection": "enabled"}); err != nil {
		return err
	}
	if pods == 1 {
		return g.pod(name, i%nodes, "notebook-0", map[string]string{"notebook-name": "notebook"}, nil)
	}
	server := map[string]string{"app": "ml-pipeline-ui-artifact"}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: server}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "example.com/web:1"}}}}
	selector := &metav1.LabelSelector{MatchLabels: server}
	deployment, err := g.kube.AppsV1().Deployments(name).Create(g.ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "ml-pipeline-ui-artifact", Labels: server}, Spec: appsv1.DeploymentSpec{Selector: selector, Template: template}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	set, err := g.kube.AppsV1().ReplicaSets(name).Create(g.ctx, &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "ml-pipeline-ui-artifact-5d9", Labels: server, OwnerReferences: []metav1.OwnerReference{*owner("Deployment", deployment.Name, deployment.UID)}},
		Spec:       appsv1.ReplicaSetSpec{Selector: selector, Template: template}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := g.pod(name, i%nodes, "ml-pipeline-ui-artifact-5d9-0", server, owner("ReplicaSet", set.Name, set.UID)); err != nil {
		return err
	}
	notebook := map[string]string{"notebook-name": "notebook"}
	template.Labels = notebook
	stateful, err := g.kube.AppsV1().StatefulSets(name).Create(g.ctx, &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "notebook"}, Spec: appsv1.StatefulSetSpec{Selector: &metav1.LabelSelector{MatchLabels: notebook}, Template: template}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	for n := range pods - 1 {
		if err := g.pod(name, (i+n)%nodes, fmt.Sprintf("notebook-%d", n), notebook, owner("StatefulSet", stateful.Name, stateful.UID)); err != nil {
			return err
		}
	}
	return nil
}

func owner(kind, name string, uid types.UID) *metav1.OwnerReference {
	controller := true
	return &metav1.OwnerReference{APIVersion: "apps/v1", Kind: kind, Name: name, UID: uid, Controller: &controller}
}

// routes creates what other applications configure in the mesh.
func (g grower) routes(namespace string, i int) error {
	name := fmt.Sprintf("route-%d", i)
	for _, o := range []struct {
		group, version, kind, resource string
		spec                           map[string]any
	}{
		{"networking.istio.io", "v1", "VirtualService", "virtualservices", map[string]any{"hosts": []any{name + ".example.com"}, "gateways": []any{"own"},
			"http": []any{map[string]any{"route": []any{map[string]any{"destination": map[string]any{"host": name}}}}}}},
		{"networking.istio.io", "v1", "DestinationRule", "destinationrules", map[string]any{"host": name,
			"trafficPolicy": map[string]any{"tls": map[string]any{"mode": "ISTIO_MUTUAL"}}}},
		{"security.istio.io", "v1", "AuthorizationPolicy", "authorizationpolicies", map[string]any{"rules": []any{map[string]any{
			"from": []any{map[string]any{"source": map[string]any{"namespaces": []any{namespace}}}}}}}},
		{"networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", map[string]any{"podSelector": map[string]any{"matchLabels": map[string]any{"app": name}}}},
	} {
		object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": o.group + "/" + o.version, "kind": o.kind,
			"metadata": map[string]any{"name": name, "namespace": namespace}, "spec": o.spec}}
		if err := g.create(schema.GroupVersionResource{Group: o.group, Version: o.version, Resource: o.resource}, object); err != nil {
			return err
		}
	}
	return nil
}

func (g grower) create(in schema.GroupVersionResource, o *unstructured.Unstructured) error {
	_, err := g.any.Resource(in).Namespace(o.GetNamespace()).Create(g.ctx, o, metav1.CreateOptions{})
	return err
}
