package azure

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
)

// A wanted is a pool as the checks see it.
type wanted struct {
	Pool
	gpu, spot bool
}

func poolsOf(o Options) []wanted {
	all := []wanted{{Pool: Pool{Size: o.NodeSize, Nodes: o.Nodes}}}
	if o.GPU != nil {
		all = append(all, wanted{*o.GPU, true, o.Spot})
	}
	return all
}

// A demand is how many vCPUs are taken from a quota: at once, and when all pools have grown.
type demand struct{ first, most int64 }

// demands sums the vCPUs of the pools by quota. A pool is upgraded with a tenth more nodes, at least one; only one pool at a
// time is, but which one is not known: the largest surge counts. A pool that starts empty is worth nothing without one node.
func demands(o Options, f *Facts) map[string]demand {
	out := map[string]demand{}
	surges := map[string]demand{}
	for _, p := range poolsOf(o) {
		sku := f.sku(p.Size)
		if sku == nil {
			continue // checkSizes says so
		}
		quotas := []string{sku.Family, "cores"}
		if p.spot {
			quotas = []string{"lowPriorityCores"}
		}
		first, most := int64(max(p.Nodes.Min, 1)), int64(p.Nodes.Max)
		for _, q := range quotas {
			d, s := out[q], surges[q]
			out[q] = demand{d.first + first*sku.vCPUs(), d.most + most*sku.vCPUs()}
			if !p.spot { // spot pools have no surge
				surges[q] = demand{max(s.first, surgeOf(first)*sku.vCPUs()), max(s.most, surgeOf(most)*sku.vCPUs())}
			}
		}
	}
	for q, s := range surges {
		out[q] = demand{out[q].first + s.first, out[q].most + s.most}
	}
	return out
}

func surgeOf(nodes int64) int64 { return max(1, (nodes+9)/10) }

// checkQuota holds the vCPU quotas of the families and of the region against what the pools need. A size that is offered
// without restriction may still have a quota of 0.
func checkQuota(o Options, f *Facts) Result {
	r := Result{Name: "vCPU quota"}
	needs := demands(o, f)
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		need := needs[name]
		usage := f.usage(name)
		if usage == nil {
			r.Warnings = append(r.Warnings, fmt.Sprintf("Azure names no quota %s in %s: whether it suffices is not known", escape.Line(name), o.Location))
			continue
		}
		left := max(0, usage.Limit-usage.Current)
		label := escape.Line(usage.Name.Label)
		if label == "" {
			label = escape.Line(name)
		}
		switch {
		case left < need.first:
			r.fail("Request an increase on the page Quotas of "+f.Portal+", or choose another size, number or location. "+
				escape.Commandf("To see the quotas: az vm list-usage --location %s -o table", o.Location),
				"%s needs %s with the node that upgrades add, and %d of %d are left in %s (ErrCode_InsufficientVCPUQuota)", label, text.Plural(int(need.first), "vCPU"), left, usage.Limit, o.Location)
		case left < need.most:
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s: %d of %d vCPUs are left in %s, and %d are needed when all pools have grown", label, left, usage.Limit, o.Location, need.most))
		}
		if name == "cores" {
			r.Detail = fmt.Sprintf("%d of %d left, %d needed", left, usage.Limit, need.first)
		}
	}
	return r
}

// mostClusters is how many clusters a subscription has at most, in all regions together.
const mostClusters = 5000

// usualClusters is how many clusters a subscription may have in a region unless its owner asked for more, by the offer that the
// subscription belongs to. Azure has no call that answers with the limit itself.
var usualClusters = map[string]int{"FreeTrial": 3, "PayAsYouGo": 10, "EnterpriseAgreement": 100}

// checkClusters holds the number of clusters against the quotas of the subscription.
func checkClusters(o Options, f *Facts) Result {
	here := 0
	for _, e := range f.Clusters {
		if strings.EqualFold(strings.ReplaceAll(e.Location, " ", ""), o.Location) {
			here++
		}
	}
	r := Result{Name: "clusters", Detail: fmt.Sprintf("%d in %s", here, o.Location)}
	increase := "Request more on the page Quotas of " + f.Portal + ", provider Azure Kubernetes Service, or delete clusters that are not used: kubectl kubeflow cluster list --all"
	if len(f.Clusters) >= mostClusters {
		r.fail(increase, "the subscription has %s, and at most %d are possible (QuotaExceeded)", text.Plural(len(f.Clusters), "cluster"), mostClusters)
		return r
	}
	offer, _, _ := strings.Cut(f.Subscription.Policies.Quota, "_")
	if most := usualClusters[offer]; most > 0 && here >= most {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%s in %s, as many as subscriptions of the offer %s may have unless they asked for more: Azure may answer with QuotaExceeded. %s",
			text.Plural(here, "cluster"), o.Location, offer, increase))
	}
	return r
}

func (f *Facts) usage(name string) *Usage {
	for i := range f.Usage {
		if strings.EqualFold(f.Usage[i].Name.Value, name) {
			return &f.Usage[i]
		}
	}
	return nil
}

func (f *Facts) sku(size string) *SKU {
	for i := range f.SKUs {
		if strings.EqualFold(f.SKUs[i].Name, size) {
			return &f.SKUs[i]
		}
	}
	return nil
}

func (s *SKU) capability(name string) string {
	for _, c := range s.Capabilities {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func (s *SKU) number(name string) float64 {
	n, _ := strconv.ParseFloat(s.capability(name), 64)
	return n
}

// vCPUs counts what the quota counts.
func (s *SKU) vCPUs() int64 { return int64(s.number("vCPUs")) }
