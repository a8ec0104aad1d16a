package auth

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/exposure"
)

// istiod fetches the keys of an issuer (JWKS) and hands them to the gateway. It keeps them by their address and fetches them again every 20
// minutes, so that a restart of the gateway brings the same keys. Another address is fetched at once and interrupts nothing: the query
// is one that dex ignores.

// renewsKeys is what a fix does to make the gateway get dex's keys again.
var renewsKeys = []doctor.Write{{Kind: dashboard.RequestAuthenticationKind, Fields: []string{"/spec/jwtRules/*/jwksUri"}}}

const renewed = "renewed"

// renewKeys returns the changes after which the gateway gets dex's keys again: one per policy that accepts dex's tokens.
func renewKeys(dex *dashboard.Dex, policies []*unstructured.Unstructured) []cluster.Change {
	if dex == nil || dex.Issuer == "" {
		return nil
	}
	var changes []cluster.Change
	for _, p := range policies {
		if p.GetUID() == "" { // of manifests: no gateway has keys yet
			continue
		}
		change := cluster.Edit(p, func(o *unstructured.Unstructured) {
			for _, rule := range kube.Items(o.Object, "spec", "jwtRules") {
				if kube.Text(rule, "issuer") != dex.Issuer || kube.Text(rule, "jwks") != "" {
					continue
				}
				if uri := kube.Text(rule, "jwksUri"); uri == "" || dex.Serves(uri) {
					rule["jwksUri"] = withQuery(uri, dex.Issuer, p.GetResourceVersion())
				}
			}
		})
		if cluster.Diff(change.Before, change.After) != "" {
			changes = append(changes, change)
		}
	}
	return changes
}

// withQuery returns the address of dex's keys with a query that it has not had yet: the version of the object that names it.
func withQuery(uri, issuer, version string) string {
	if version == "" {
		version = "1"
	}
	u, err := url.Parse(uri)
	if err != nil || uri == "" {
		if u, err = url.Parse(issuer); err != nil {
			return uri
		}
		if !strings.HasPrefix(u.Hostname(), dexRef.Name+"."+dexRef.Namespace) { // istiod may not reach the public name
			u.Scheme, u.Host = "http", dexRef.Name+"."+dexRef.Namespace+".svc.cluster.local:5556"
		}
		u.Path = strings.TrimSuffix(u.Path, "/") + "/keys"
	}
	query := u.Query()
	query.Set(renewed, version)
	u.RawQuery = query.Encode()
	return u.String()
}

// withKeys adds to a fix that restarts dex what makes the gateway get its keys again.
func (c chain) withKeys(fix *doctor.Fix) *doctor.Fix { return addKeys(fix, c.dex, c.rules) }

func addKeys(fix *doctor.Fix, dex *dashboard.Dex, policies []*unstructured.Unstructured) *doctor.Fix {
	late := renewKeys(dex, policies)
	if len(late) > 0 {
		fix.Title += ", and let the gateway get its signing keys again"
	}
	fix.Changes, fix.Late = append(fix.Changes, late...), len(late)
	return fix
}

// withGatewayKeys does the same for a fix of another check.
func withGatewayKeys(ctx context.Context, e doctor.Exam, fix *doctor.Fix) (*doctor.Fix, error) {
	dex, err := dashboard.ReadDex(ctx, e)
	if err != nil || dex == nil {
		return fix, err
	}
	policies, err := exposure.AtGateway(ctx, e, dashboard.RequestAuthenticationKind)
	if err != nil {
		return nil, err
	}
	return addKeys(fix, dex, policies), nil
}

func restartsDex(fix *doctor.Fix) bool {
	return slices.ContainsFunc(fix.Changes, func(c cluster.Change) bool { return c.Ref().Identity() == dexRef.Identity() })
}
