package auth

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var Secrets = &doctor.Check{
	ID:    "auth/secrets",
	Title: "Default secrets were rotated",
	Why: "The manifests of every release contain the same secrets: the client secret that dex shares with its clients, and the key with which oauth2-proxy " +
		"signs session cookies. With that key an attacker can forge a session of any user without a password. The object store's key is public too, though " +
		"only pods can reach the store.",
	FixNote: "--fix (with --allow-restart) generates new random secrets for authentication, the same on both sides, and restarts dex and oauth2-proxy: users have " +
		"to sign in again. If the check is named (or with auth rotate-secrets), the object store's key is rotated too: in namespace kubeflow and in the Profiles that have a copy of it " +
		"(from SeaweedFS on, Profiles have keys of their own), and the store and its clients are restarted. Copies that users made, for example for KServe, have to be changed by hand. " +
		"Installing again keeps the new secrets.",
	Sources: []string{"https://github.com/kubeflow/community-distribution/blob/master/README.md"},
	Reads:   slices.Concat(dashboard.GatewayKinds, dashboard.RouteKinds, signInKinds, storeKinds),
	Writes: slices.Concat([]doctor.Write{
		{Kind: kube.SecretKind, In: []string{dexClientRef.Namespace}, Names: []string{dexClientRef.Name}, Fields: []string{"/data/*"}},
		{Kind: kube.SecretKind, In: []string{oldClientRef.Namespace}, Names: []string{oldClientRef.Name}, Fields: []string{"/data/*"}},
		{Kind: kube.SecretKind, In: []string{proxyRef.Namespace}, Fields: []string{"/data/*"}},
		{Kind: kube.DeploymentKind, In: []string{dexRef.Namespace}, Names: []string{dexRef.Name}, Restart: true},
		{Kind: kube.DeploymentKind, In: []string{proxyRef.Namespace}, Names: []string{proxyRef.Name}, Restart: true},
		{Kind: kube.StatefulSetKind, In: []string{dashboard.KubeflowNamespace}, Names: []string{"authservice", "oidc-authservice"}, Restart: true},
	}, renewsKeys, storeWrites),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		secrets, err := authenticationSecrets(ctx, e)
		if err != nil {
			return nil, err
		}
		chains, idle, err := readChains(ctx, e)
		if err != nil {
			return nil, err
		}
		secrets = slices.DeleteFunc(secrets, func(s *unstructured.Unstructured) bool { return idle && cluster.RefOf(s) == dexClientRef })
		far, err := reach(ctx, e)
		if err != nil {
			return nil, err
		}
		var findings []doctor.Finding
		if known := knownIn(secrets); len(known) > 0 {
			f := doctor.Finding{
				Severity:    severityFor(far),
				About:       doctor.Subject{Ref: cluster.RefOf(known[0].secret), Field: "data." + known[0].key},
				Message:     fmt.Sprintf(defaultSecretsMessage, strings.Join(describe(known), ", ")),
				Consequence: defaultSecretsImpact,
				Command:     "kubectl kubeflow doctor auth/secrets --fix --allow-restart",
			}
			own := slices.DeleteFunc(slices.Clone(known), func(k knownSecret) bool { return ofAnotherProvider(chains, k.secret) })
			if len(own) == 0 {
				f.Advice, f.Command = otherProviderAdvice, ""
			} else if e.NewSecret != nil && (f.Severity != doctor.Info || e.Named) {
				if f.Fix, err = rotate(ctx, e, own); err != nil {
					return nil, err
				}
			}
			findings = append(findings, f)
		}
		store, err := storeKey(ctx, e)
		findings = append(findings, store...)
		return findings, err
	},
}

// The texts of the findings.
const (
	defaultSecretsMessage = "authentication uses default secrets: %s"
	defaultSecretsImpact  = "Any client that reaches the dashboard can impersonate any user."
	otherProviderAdvice   = "Set new values by hand: the client is registered with another provider than the cluster's dex, so no fix changes its Secret."
	rotateFix             = "Rotate the authentication secrets"
	storeKeyMessage       = "the object store has the default key"
	storeKeyImpact        = "Every pod that reaches the store can read and write the data of all users."
	storeKeyAdvice        = "If users do not trust each other, rotate the key, or use Azure storage. Copies of the key that users made, for example for KServe, have to be changed by hand."
	rotateStoreFix        = "Rotate the key of the object store"
)

// ofAnotherProvider reports whether a Secret holds settings of an authenticator whose provider is not the cluster's own dex.
func ofAnotherProvider(chains []chain, secret *unstructured.Unstructured) bool {
	return slices.ContainsFunc(chains, func(c chain) bool {
		return !c.ownDex() && slices.ContainsFunc([]dashboard.Setting{c.secret(), c.clientID(), c.Setting("cookie_secret")}, func(s dashboard.Setting) bool {
			return s.Object != nil && cluster.RefOf(s.Object) == cluster.RefOf(secret)
		})
	})
}

// authenticationSecrets returns the Secrets that authentication uses, of whichever release.
func authenticationSecrets(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
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
		return nil, doctor.Skip("no authentication is installed")
	}
	return list, nil
}

// A knownSecret is a default value, which is public.
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
			if sum := digest(secretValue(s, key)); shippedSecrets[sum] != "" {
				known = append(known, knownSecret{s, key, sum})
			}
		}
	}
	return known
}

func describe(known []knownSecret) []string {
	var what []string
	for _, k := range known {
		if w := shippedSecrets[k.sum]; !slices.Contains(what, w) {
			what = append(what, w)
		}
	}
	return what
}

// rotate replaces default values: those that were equal stay equal.
func rotate(ctx context.Context, e doctor.Exam, known []knownSecret) (*doctor.Fix, error) {
	fix := &doctor.Fix{Title: rotateFix, Impact: doctor.RestartsPods}
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
					setSecretValue(o, other.key, fresh[other.sum])
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
		changed := slices.ContainsFunc(done, func(s *unstructured.Unstructured) bool { return s.GetNamespace() == ref.Namespace })
		if workload != nil && changed {
			fix.Changes = append(fix.Changes, doctor.RestartOf(workload))
		}
	}
	if !restartsDex(fix) {
		return fix, nil
	}
	return withGatewayKeys(ctx, e, fix)
}
