package nodes

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"
)

func sample() Cluster {
	return Cluster{
		Pools:   []Pool{SystemPool(2), GPUPool(1)},
		Runtime: "docker://19.3.14", KubeletVersion: "v1.21.14",
	}
}

func TestNodesLookLikeInstancesOfAKSScaleSets(t *testing.T) {
	all := sample().Nodes()
	if len(all) != 3 {
		t.Fatalf("%d nodes, want 3", len(all))
	}
	second := all[1]
	if want := "aks-nodepool1-37463671-vmss000001"; second.Name != want {
		t.Errorf("name %s, want %s", second.Name, want)
	}
	if id := second.Spec.ProviderID; !strings.HasPrefix(id, "azure:///subscriptions/") || !strings.HasSuffix(id, "/virtualMachines/1") {
		t.Errorf("provider ID %s", id)
	}
	for label, want := range map[string]string{
		"kubernetes.azure.com/mode":        "system",
		"kubernetes.azure.com/agentpool":   "nodepool1",
		"node.kubernetes.io/instance-type": "Standard_D4s_v3",
		"topology.kubernetes.io/zone":      "westeurope-2",
	} {
		if got := second.Labels[label]; got != want {
			t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}
	if got := second.Status.NodeInfo.ContainerRuntimeVersion; got != "docker://19.3.14" {
		t.Errorf("runtime %s", got)
	}
	if got := second.Status.Allocatable.Pods().Value(); got != 110 {
		t.Errorf("%d pods fit, want 110", got)
	}
}

func TestGPUNodesAreTaintedAndOfferTheirGPU(t *testing.T) {
	gpu := sample().Nodes()[2]
	if len(gpu.Spec.Taints) != 1 || gpu.Spec.Taints[0].ToString() != "sku=gpu:NoSchedule" {
		t.Errorf("taints %v", gpu.Spec.Taints)
	}
	if got := gpu.Status.Allocatable["nvidia.com/gpu"]; got.Value() != 1 {
		t.Errorf("%s GPUs, want 1", got.String())
	}
	if gpu.Labels["kubernetes.azure.com/mode"] != "user" {
		t.Errorf("mode %s, want user", gpu.Labels["kubernetes.azure.com/mode"])
	}
}

func TestInstancesAreNumberedToTheBase36(t *testing.T) {
	if got := instance(36*36 + 35); got != "00010z" {
		t.Errorf("instance %s, want 00010z", got)
	}
}

func TestNodesThatAreThereStayAsTheyAre(t *testing.T) {
	kept := sample().Nodes()[0]
	kept.Labels["mine"] = "yes"
	client := fake.NewClientset(kept)
	if err := Create(t.Context(), client, sample()); err != nil {
		t.Fatal(err)
	}
	list, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 3 {
		t.Fatalf("%d nodes, %v", len(list.Items), err)
	}
	got, err := client.CoreV1().Nodes().Get(t.Context(), kept.Name, metav1.GetOptions{})
	if err != nil || got.Labels["mine"] != "yes" {
		t.Errorf("labels %v, %v", got.Labels, err)
	}
}

func TestStagesAreTwoStagesForNodes(t *testing.T) {
	documents := strings.Split(string(Stages()), "\n---\n")
	if len(documents) != 2 {
		t.Fatalf("%d stages, want 2", len(documents))
	}
	for _, document := range documents {
		var stage struct {
			Kind string
			Spec struct {
				ResourceRef corev1.ObjectReference
			}
		}
		if err := yaml.Unmarshal([]byte(document), &stage); err != nil {
			t.Fatal(err)
		}
		if stage.Kind != "Stage" || stage.Spec.ResourceRef.Kind != "Node" {
			t.Errorf("%s for %s", stage.Kind, stage.Spec.ResourceRef.Kind)
		}
	}
}
