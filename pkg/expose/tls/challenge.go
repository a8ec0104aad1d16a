package tls

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose/record"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// exemptChallenge returns the changes that exempt the challenge from authentication.
func (t Target) exemptChallenge() ([]cluster.Change, error) {
	var changes []cluster.Change
	for _, gate := range t.policies {
		change := cluster.Edit(gate, func(o *unstructured.Unstructured) {
			if record.ExemptPath(o, record.ChallengePath+"*") {
				r := record.Read(o)
				r.Path = record.ChallengePath + "*"
				record.Write(o, r)
			}
		})
		if cluster.Diff(change.Before, change.After) != "" {
			changes = append(changes, change)
		}
	}
	if t.Authentication.By != "authservice" {
		return changes, nil
	}
	for _, m := range t.settings {
		skipped, has, _ := unstructured.NestedString(m.Object, "data", record.SkipAuthKey)
		if !has {
			continue
		}
		change := cluster.Edit(m, func(o *unstructured.Unstructured) {
			r := record.Read(o)
			r.Path = record.ChallengePath
			_ = unstructured.SetNestedField(o.Object, skipped+","+record.ChallengePath, "data", record.SkipAuthKey)
			record.Write(o, r)
		})
		if slices.Contains(strings.Split(skipped, ","), record.ChallengePath) {
			return append(changes, t.restarts(m)...), nil
		}
		return append(append(changes, change), t.restarts(change.After)...), nil
	}
	return nil, &problem.Error{What: "Let's Encrypt cannot verify the name: authservice of this release authenticates every request, without exceptions",
		Next: "Use your own certificate with --tls-secret NAME, or a private CA with --tls self-signed"}
}
