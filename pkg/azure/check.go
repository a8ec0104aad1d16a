package azure

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Result is the outcome of a check.
type Result struct {
	Name     string
	Detail   string           // what was found, in a few words
	Problems []*problem.Error // would stop the creation
	Warnings []string
}

// Check decides what would stop the creation, before anything is created. The options have a Kubernetes version.
func Check(o Options, f *Facts) []Result {
	return []Result{checkSubscription(f), checkProviders(f), checkSizes(o, f), checkQuota(o, f), checkClusters(o, f), checkAddresses(o, f), checkSubnet(o, f), checkPods(o, f), checkRoles(o, f)}
}

// FirstProblem returns the first problem of several results, and how many there are.
func FirstProblem(results []Result) (first *problem.Error, count int) {
	for _, r := range results {
		if len(r.Problems) > 0 && first == nil {
			first = r.Problems[0]
		}
		count += len(r.Problems)
	}
	return first, count
}

func (r *Result) fail(next, format string, args ...any) {
	r.Problems = append(r.Problems, &problem.Error{What: fmt.Sprintf(format, args...), Next: next})
}

func checkSubscription(f *Facts) Result {
	r := Result{Name: "subscription", Detail: escape.Line(f.Subscription.Name)}
	if s := f.Subscription; s.State != "Enabled" && s.State != "" {
		code := "ReadOnlyDisabledSubscription"
		if s.State == "Warned" || s.State == "PastDue" {
			r.Warnings = append(r.Warnings, fmt.Sprintf("The subscription %s is in state %s and may soon be disabled", s.ID, s.State))
			return r
		}
		r.fail("Enable it on the page Subscriptions of "+f.Portal+", or choose another with --subscription",
			"the subscription %s is in state %s (%s)", s.ID, escape.Line(s.State), code)
	}
	return r
}

func checkProviders(f *Facts) Result {
	r := Result{Name: "providers", Detail: "registered"}
	for _, namespace := range namespaces {
		if state := f.Providers[namespace]; !strings.EqualFold(state, "Registered") {
			r.fail(escape.Commandf("Register it with: az provider register --namespace %s --wait", namespace),
				"the resource provider %s is not registered in the subscription (MissingSubscriptionRegistration)", namespace)
		}
	}
	return r
}

// roleWrite is the permission without which nobody administers the cluster.
const roleWrite = "Microsoft.Authorization/roleAssignments/write"

func checkRoles(o Options, f *Facts) Result {
	r := Result{Name: "permissions", Detail: "you may assign roles"}
	switch {
	case o.NoRoleAssignment:
		r.Detail = "no role is assigned"
	case !permitted(f.Permissions, roleWrite):
		r.fail("Ask an owner for the role Role Based Access Control Administrator, or pass --no-role-assignment: then others assign Azure Kubernetes Service RBAC Cluster Admin to you, or you sign in with: kubectl kubeflow cluster credentials --admin",
			"you may not assign roles here, and without one you could not use the cluster (AuthorizationFailed for %s)", roleWrite)
	}
	return r
}

// permitted reports whether one of the caller's roles permits an action. Each role excludes from its own actions alone.
func permitted(permissions []Permission, action string) bool {
	matches := func(pattern string) bool {
		form := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`)
		found, err := regexp.MatchString("(?i)^"+form+"$", action)
		return err == nil && found
	}
	return slices.ContainsFunc(permissions, func(p Permission) bool {
		return slices.ContainsFunc(p.Actions, matches) && !slices.ContainsFunc(p.NotActions, matches)
	})
}

// checkAddresses holds the quota of public IP addresses against the one of the cluster's outbound traffic.
func checkAddresses(_ Options, f *Facts) Result {
	r := Result{Name: "public IP addresses"}
	for _, u := range f.Network {
		if u.Name.Value != "PublicIPAddresses" && u.Name.Value != "StandardSkuPublicIpAddresses" {
			continue
		}
		left := u.Limit - u.Current
		r.Detail = fmt.Sprintf("%d left", left)
		switch {
		case left < 1:
			r.fail("Delete public IP addresses that are not used, or request more on the page Quotas of "+f.Portal,
				"the cluster needs a public IP address for outbound traffic, and all %d are used (PublicIPCountLimitReached)", u.Limit)
			return r
		case left < 2:
			r.Warnings = append(r.Warnings, "One public IP address is left, which the cluster uses for outbound traffic: \"expose --lb\" needs another, unless it is --internal")
			return r
		}
	}
	return r
}

// checkSizes holds the VM sizes against what the region offers, in the zones that are asked for.
func checkSizes(o Options, f *Facts) Result {
	r := Result{Name: "VM sizes"}
	var found []string
	for _, p := range poolsOf(o) {
		sku := f.sku(p.Size)
		list := escape.Commandf("To see what is offered: az vm list-skus --location %s --resource-type virtualMachines -o table", o.Location)
		if sku == nil {
			r.fail(list, "the VM size %s is not offered in %s (SkuNotAvailable)", p.Size, o.Location)
			continue
		}
		found = append(found, p.Size)
		checkRestrictions(&r, o, sku, list)
		if sku.capability("CpuArchitectureType") == "Arm64" {
			r.fail("Choose a size with x64 processors, for example "+DefaultNodeSize, "the VM size %s has Arm processors, and most images of Kubeflow have no arm64", p.Size)
		}
		if p.gpu && sku.number("GPUs") == 0 {
			r.fail("For example: --gpu Standard_NC4as_T4_v3", "the VM size %s has no GPU", p.Size)
		}
		if p.spot && strings.EqualFold(sku.capability("LowPriorityCapable"), "false") {
			r.fail("Leave out --spot, or choose another size", "the VM size %s is not offered as a spot virtual machine in %s (SkuNotAvailable)", p.Size, o.Location)
		}
		if !p.gpu {
			checkRoom(&r, o, sku)
		}
	}
	r.Detail = text.And(found...)
	return r
}

func checkRestrictions(r *Result, o Options, sku *SKU, list string) {
	for _, limit := range sku.Restrictions {
		if limit.Type == "Location" {
			r.fail("Request access at https://aka.ms/AzureSkuRequest, or choose another size or location. "+list, "the VM size %s is restricted in %s for this subscription (%s)", sku.Name, o.Location, escape.Line(limit.Reason))
			return
		}
	}
	for _, zone := range o.Zones {
		if !slices.ContainsFunc(sku.LocationInfo, func(l skuLocation) bool { return slices.Contains(l.Zones, zone) }) {
			r.fail("Choose other zones, or leave out --zones. "+list, "the VM size %s is not offered in zone %s of %s (SkuNotAvailable)", sku.Name, zone, o.Location)
			continue
		}
		for _, limit := range sku.Restrictions {
			if limit.Type == "Zone" && slices.Contains(limit.Info.Zones, zone) {
				r.fail("Choose other zones, or leave out --zones. "+list, "the VM size %s is restricted in zone %s of %s for this subscription (%s)", sku.Name, zone, o.Location, escape.Line(limit.Reason))
			}
		}
	}
}
