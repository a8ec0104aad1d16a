package azure

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// What a node leaves for pods of users: the rest is what AKS keeps for itself and requests for its own pods (docs/sizing.md).
const (
	usableCPU    = 0.8
	usableMemory = 0.7
	usablePods   = maxPods - 20
)

// maxPods is how many pods AKS lets a node have with Azure CNI Overlay.
const maxPods = 250

// spare is how often what the release requests must fit: once more, for notebooks and pipelines.
const spare = 2

// fewestNodes is the size of a system node pool that an upgrade or a failed node does not bring down.
const fewestNodes = 3

// A machine is what a VM size has.
type machine struct {
	cpus, memory float64 // memory in GiB
}

// sizeForm matches the families whose names have the number of CPUs: of D and E, those from v3 on.
var sizeForm = regexp.MustCompile(`(?i)^standard_(?:([DE])(\d+)(?:-(\d+))?[a-z]*_v(?:[3-9]|\d\d)|(F)(\d+)s_v2)$`)

// perCPU is the GiB for each CPU in the families whose names say it.
var perCPU = map[string]float64{"D": 4, "E": 8, "F": 2}

// machineOf reads a VM size from its name, as Azure's convention has it, without asking Azure. Only common families are known.
func machineOf(size string) (machine, bool) {
	parts := sizeForm.FindStringSubmatch(size)
	if parts == nil {
		return machine{}, false
	}
	whole, err := strconv.Atoi(parts[2] + parts[5])
	if err != nil || whole < 1 || whole > 1024 {
		return machine{}, false
	}
	m := machine{float64(whole), float64(whole) * perCPU[strings.ToUpper(parts[1]+parts[4])]}
	if constrained, err := strconv.Atoi(parts[3]); err == nil && constrained > 0 { // E8-4s has 4 of 8 CPUs, and the memory of all
		m.cpus = float64(constrained)
	}
	return m, true
}

// nodesFor returns how many nodes hold what a release requests, and spare for users.
func nodesFor(r release.Release, size string) int32 {
	m, known := machineOf(size)
	if !known {
		return fewestNodes // the checks compare it with what Azure says
	}
	d, _ := r.Demand()
	cpu := spare * float64(d.CPU) / 1000 / (m.cpus * usableCPU)
	memory := spare * gib(d.Memory) / (m.memory * usableMemory)
	pods := spare * float64(d.Pods) / usablePods
	return max(fewestNodes, int32(math.Ceil(max(cpu, memory, pods))))
}

// Sizing says in a sentence how the nodes follow from what the release requests.
func (o Options) Sizing() string {
	d, measured := o.Release.Demand()
	who := o.Release.String()
	if measured != o.Release.Version {
		who += fmt.Sprintf(" (sized as %s)", measured)
	}
	sentence := fmt.Sprintf("%s requests %.1f CPUs and %.1f GiB in %s, and %s with %.0f GiB in total", who, float64(d.CPU)/1000, gib(d.Memory), text.Plural(d.Pods, "pod"), text.Plural(d.Volumes, "volume"), gib(d.Disk))
	m, known := machineOf(o.NodeSize)
	if !known {
		return sentence
	}
	n := float64(o.Nodes.Min)
	return fmt.Sprintf("%s; %s of %s leave %.1f CPUs and %.1f GiB for pods", sentence, text.Plural(int(o.Nodes.Min), "node"), o.NodeSize, n*m.cpus*usableCPU, n*m.memory*usableMemory)
}

func gib(bytes int64) float64 { return float64(bytes) / (1 << 30) }

// checkRoom compares the nodes with what the release requests.
func checkRoom(r *Result, o Options, sku *SKU) {
	d, _ := o.Release.Demand()
	nodes := float64(o.Nodes.Max)
	cpu, memory := nodes*float64(sku.vCPUs())*usableCPU, nodes*sku.number("MemoryGB")*usableMemory
	enough := "For example: --node-size " + DefaultNodeSize + " --nodes " + strconv.Itoa(int(nodesFor(o.Release, DefaultNodeSize)))
	if cpu < float64(d.CPU)/1000 || memory < gib(d.Memory) {
		r.fail(enough, "%s of %s leave about %.1f CPUs and %.1f GiB for pods, and Kubeflow requests %.1f CPUs and %.1f GiB",
			text.Plural(int(o.Nodes.Max), "node"), sku.Name, cpu, memory, float64(d.CPU)/1000, gib(d.Memory))
	}
	if disks := sku.number("MaxDataDiskCount"); disks > 0 && nodes*disks < float64(d.Volumes) {
		r.fail(enough, "%s of %s attach %s, and Kubeflow has %s", text.Plural(int(o.Nodes.Max), "node"), sku.Name, text.Plural(int(nodes*disks), "disk"), text.Plural(d.Volumes, "volume"))
	}
}
