package release

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

var update = flag.Bool("update", false, "rewrite demands.json from the archives")

// archived are the releases whose archives tests have.
var archived = []string{"1.2.0", "1.8.1", "1.9.1", "1.10.2", "26.03"}

func TestDemandsAreThoseOfTheRenderedReleases(t *testing.T) {
	measured := map[string]Demand{}
	for _, version := range archived {
		got, _ := rendered(t, Input{Release: version}, offline(t))
		measured[version] = demandOf(t, got.Objects())
	}
	content, err := json.MarshalIndent(measured, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("demands.json", append(content, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(demandsFile) != string(content)+"\n" {
		t.Errorf("demands.json is not what the releases request now: go test -update rewrites it. They request %s", content)
	}
}

func TestAReleaseThatWasNotMeasuredIsSizedByItsNeighbours(t *testing.T) {
	for of, want := range map[string]string{"26.03": "26.03", "26.03.1": "26.03", "1.11.0": "1.10.2", "1.9.0": "1.8.1", "1.3.1": "1.8.1", "1.2.0": "1.2.0"} {
		r, err := Find(of)
		if err != nil {
			t.Fatal(err)
		}
		if d, measured := r.Demand(); measured != want || d.CPU == 0 || d.Memory == 0 || d.Pods == 0 {
			t.Errorf("%s: %+v of %q, want %q", of, d, measured, want)
		}
	}
	for _, r := range All() {
		if d, _ := r.Demand(); d.CPU == 0 {
			t.Errorf("%s has no demand", r.Version)
		}
	}
}

// TestThePageOfSizesHasTheDemands writes the table of docs/sizing.md.
func TestThePageOfSizesHasTheDemands(t *testing.T) {
	const page, head = "../../docs/sizing.md", "<!-- demands: generated from pkg/release/demands.json -->\n"
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(content), head)
	if !found {
		t.Fatalf("%s has no table", page)
	}
	var table strings.Builder
	table.WriteString(before + head + "| release | CPUs | GiB | pods | volumes | GiB in them |\n|---|---|---|---|---|---|\n")
	for _, r := range All() {
		if d, measured := r.Demand(); measured == r.Version {
			fmt.Fprintf(&table, "| %s | %.1f | %.1f | %d | %d | %d |\n", r.Version, float64(d.CPU)/1000, float64(d.Memory)/(1<<30), d.Pods, d.Volumes, d.Disk>>30)
		}
	}
	if *update {
		if err := os.WriteFile(page, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if table.String() != string(content) {
		t.Errorf("%s is not current: go test -update rewrites it", page)
	}
}

// demandOf sums what the scheduler reserves for the pods of workloads.
func demandOf(t *testing.T, objects []*unstructured.Unstructured) (d Demand) {
	t.Helper()
	injected, proxy := injection(t, objects)
	for _, o := range objects {
		switch o.GetKind() {
		case "PersistentVolumeClaim":
			d.addClaim(t, o.Object, 1)
			continue
		case "Deployment", "StatefulSet", "DaemonSet", "Job":
		default:
			continue
		}
		replicas := int64(1)
		if n, found, _ := unstructured.NestedInt64(o.Object, "spec", "replicas"); found {
			replicas = n
		}
		var template corev1.PodTemplateSpec
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(kube.Map(o.Object, "spec", "template"), &template); err != nil {
			t.Fatal(err)
		}
		requests := resourcehelper.PodRequests(&corev1.Pod{Spec: template.Spec}, resourcehelper.PodResourcesOptions{})
		cpu, memory := requests.Cpu().MilliValue(), requests.Memory().Value()
		if injected[o.GetNamespace()] && template.Labels["sidecar.istio.io/inject"] != "false" && template.Annotations["sidecar.istio.io/inject"] != "false" || template.Labels["sidecar.istio.io/inject"] == "true" {
			cpu, memory = cpu+proxy.CPU, memory+proxy.Memory
		}
		d.CPU, d.Memory, d.Pods = d.CPU+replicas*cpu, d.Memory+replicas*memory, d.Pods+int(replicas)
		for _, claim := range kube.Items(o.Object, "spec", "volumeClaimTemplates") {
			d.addClaim(t, claim, int(replicas))
		}
	}
	return d
}

func (d *Demand) addClaim(t *testing.T, claim map[string]any, count int) {
	t.Helper()
	size, err := resource.ParseQuantity(kube.Text(claim, "spec", "resources", "requests", "storage"))
	if err != nil {
		t.Fatal(err)
	}
	d.Volumes, d.Disk = d.Volumes+count, d.Disk+int64(count)*size.Value()
}

// injection returns the namespaces whose pods get a sidecar, and what it requests.
func injection(t *testing.T, objects []*unstructured.Unstructured) (map[string]bool, Demand) {
	t.Helper()
	namespaces, proxy := map[string]bool{}, Demand{}
	for _, o := range objects {
		switch {
		case o.GetKind() == "Namespace" && o.GetLabels()["istio-injection"] == "enabled":
			namespaces[o.GetName()] = true
		case o.GetKind() == "ConfigMap" && o.GetName() == "istio-sidecar-injector":
			var values map[string]any
			if err := json.Unmarshal([]byte(kube.Text(o.Object, "data", "values")), &values); err != nil {
				t.Fatal(err)
			}
			requests := kube.Map(values, "global", "proxy", "resources", "requests")
			cpu, cpuErr := resource.ParseQuantity(kube.Text(requests, "cpu"))
			memory, memoryErr := resource.ParseQuantity(kube.Text(requests, "memory"))
			if cpuErr != nil || memoryErr != nil {
				t.Fatalf("the sidecar requests %v", requests)
			}
			proxy = Demand{CPU: cpu.MilliValue(), Memory: memory.Value()}
		}
	}
	return namespaces, proxy
}
