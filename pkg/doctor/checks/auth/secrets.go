package auth

import (
	"context"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var Secrets = &doctor.Check{
	ID:    "auth/secrets",
	Title: "Default secrets were rotated",
	Why: "The manifests of every release hold the same secrets: the one between dex and what asks it, and the key with which oauth2-proxy signs the cookie of who has signed in. With that key anybody " +
		"can make a cookie for any user, without a password. The object store's key is everybody's too, though only pods reach the store.",
	FixNote: "--fix (with --allow-restart) makes new random values for the sign-in, the same on both sides, and restarts dex and oauth2-proxy: who is signed in signs in again. The object store's key is left: " +
		"what uses it has copies in every user's namespace. Installing again keeps the new values.",
	Sources: []string{"https://github.com/kubeflow/community-distribution/blob/master/README.md"},
	Reads:   slices.Concat(dashboard.GatewayKinds, []schema.GroupKind{kube.SecretKind, kube.DeploymentKind, kube.StatefulSetKind}),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		secrets, err := signInSecretsOf(ctx, e)
		if err != nil {
			return nil, err
		}
		far, err := reach(ctx, e)
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		if known := knownIn(secrets); len(known) > 0 {
			f := doctor.Finding{
				Severity:    graded(far),
				About:       doctor.Subject{Ref: cluster.RefOf(known[0].secret), Field: "data." + known[0].key},
				Message:     "the sign-in has secrets that every Kubeflow comes with: " + strings.Join(whatIsKnown(known), ", "),
				Consequence: "Whoever reaches the dashboard can pass for any user.",
				Command:     "kubectl kubeflow doctor auth/secrets --fix --allow-restart",
			}
			if e.NewSecret != nil && (f.Severity != doctor.Info || e.Named) {
				if f.Fix, err = rotate(ctx, e, known); err != nil {
					return nil, err
				}
			}
			findings = append(findings, f)
		}
		store, err := workloads.Find(ctx, e, storeKeyRef)
		if err == nil && store != nil && len(knownIn([]*unstructured.Unstructured{store})) > 0 {
			findings = append(findings, doctor.Finding{
				Severity:    doctor.Info,
				About:       doctor.Subject{Ref: storeKeyRef, Field: "data"},
				Message:     "the object store has the key that every Kubeflow comes with",
				Consequence: "Every pod that reaches the store reads and writes what all users stored.",
				Advice:      "Where users do not trust each other, give the store a key of its own, or use Azure's storage.",
			})
		}
		return findings, err
	},
}

// signInSecretsOf returns the Secrets of the sign-in that are there, of whichever release.
func signInSecretsOf(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	proxy, err := proxySecret(ctx, e)
	if err != nil {
		return nil, err
	}
	var list []*unstructured.Unstructured
	for _, ref := range []cluster.Ref{dexClientRef, oldClientRef} {
		o, err := workloads.Find(ctx, e, ref)
		if err != nil {
			return nil, err
		}
		if o != nil {
			list = append(list, o)
		}
	}
	if proxy != nil {
		list = append(list, proxy)
	}
	if len(list) == 0 {
		return nil, doctor.Skip("nothing asks visitors to sign in")
	}
	return list, nil
}

// A knownSecret is a value that everybody knows.
type knownSecret struct {
	secret *unstructured.Unstructured
	key    string
	sum    string
}

func knownIn(secrets []*unstructured.Unstructured) []knownSecret {
	var known []knownSecret
	for _, s := range secrets {
		data, _, _ := unstructured.NestedMap(s.Object, "data")
		for _, key := range slices.Sorted(maps.Keys(data)) {
			if sum := digest(held(s, key)); shippedSecrets[sum] != "" {
				known = append(known, knownSecret{s, key, sum})
			}
		}
	}
	return known
}

func whatIsKnown(known []knownSecret) []string {
	var what []string
	for _, k := range known {
		if w := shippedSecrets[k.sum]; !slices.Contains(what, w) {
			what = append(what, w)
		}
	}
	return what
}

// rotate puts new values in the place of known ones: what was equal stays equal.
func rotate(ctx context.Context, e doctor.Exam, known []knownSecret) (*doctor.Fix, error) {
	fix := &doctor.Fix{Title: "Make new secrets for the sign-in", Impact: doctor.RestartsPods}
	fresh := map[string]string{}
	var done []*unstructured.Unstructured
	for _, k := range known {
		if fresh[k.sum] == "" {
			fresh[k.sum] = e.NewSecret()
		}
		if slices.Contains(done, k.secret) {
			continue
		}
		done = append(done, k.secret)
		fix.Changes = append(fix.Changes, cluster.Edit(k.secret, func(o *unstructured.Unstructured) {
			for _, other := range known {
				if other.secret == k.secret {
					if fresh[other.sum] == "" {
						fresh[other.sum] = e.NewSecret()
					}
					hold(o, other.key, fresh[other.sum])
				}
			}
		}))
	}
	for _, ref := range []cluster.Ref{dexRef, proxyRef,
		{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: dashboard.KubeflowNamespace, Name: "authservice"},
		{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: dashboard.KubeflowNamespace, Name: "oidc-authservice"}} {
		workload, err := workloads.Find(ctx, e, ref)
		if err != nil {
			return nil, err
		}
		if workload != nil {
			fix.Changes = append(fix.Changes, doctor.RestartOf(workload))
		}
	}
	return fix, nil
}
