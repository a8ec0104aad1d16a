package auth

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

const passwordID = "auth/password"

var Password = &doctor.Check{
	ID:    passwordID,
	Title: "Default password has been changed",
	Why: "Every release since 1.3 comes with the user user@example.com, whose password is in the documentation. Any client that reaches the dashboard can sign " +
		"in with it and start containers on the cluster; bots try it on every address they find.",
	FixNote: "Write the new password into a file and run --fix --allow-restart --dex-password FILE: its hash is written where dex reads it, and dex is restarted. " +
		"Nothing else changes, and the password itself is not stored. --undo restores the old hash.",
	Sources: []string{"https://github.com/kubeflow/community-distribution/blob/master/README.md"},
	Reads:   slices.Concat(dashboard.GatewayKinds, dashboard.RouteKinds, []schema.GroupKind{kube.ConfigMapKind, kube.SecretKind, kube.DeploymentKind}, signInKinds),
	Writes: slices.Concat([]doctor.Write{
		{Kind: kube.SecretKind, In: []string{passwordsRef.Namespace}, Names: []string{passwordsRef.Name}, Fields: []string{"/data/" + passwordKey}},
		{Kind: kube.ConfigMapKind, In: []string{dexConfigRef.Namespace}, Names: []string{dexConfigRef.Name}, Fields: []string{"/data/" + dexFile}},
		{Kind: kube.DeploymentKind, In: []string{dexRef.Namespace}, Names: []string{dexRef.Name}, Restart: true},
	}, renewsKeys),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		config, err := workloads.Find(ctx, e, dexConfigRef)
		if err != nil {
			return nil, err
		}
		if config == nil {
			return nil, doctor.Skip("dex is not used for authentication here")
		}
		if _, idle, err := readChains(ctx, e); err != nil || idle {
			if err != nil {
				return nil, err
			}
			return nil, doctor.Skip("users sign in with another provider than dex, whose tokens the gateway does not accept")
		}
		secret, err := workloads.Find(ctx, e, passwordsRef)
		if err != nil {
			return nil, err
		}
		holder, field, put := findHash(config, secret)
		if holder == nil {
			return nil, nil
		}
		far, err := reach(ctx, e)
		if err != nil {
			return nil, err
		}
		f := doctor.Finding{
			Severity:    severityFor(far),
			About:       doctor.Subject{Ref: cluster.RefOf(holder), Field: field},
			Message:     "user@example.com still has the default password",
			Consequence: "Any client that reaches the dashboard can use it as that user.",
			Advice:      "Write a new password into a file, or connect dex to your own directory.",
			Command:     "kubectl kubeflow doctor auth/password --fix --allow-restart --dex-password FILE",
		}
		if e.PasswordHash == "" {
			return []doctor.Finding{f}, nil
		}
		dex, err := workloads.Find(ctx, e, dexRef)
		if err != nil {
			return nil, err
		}
		f.Fix = &doctor.Fix{Title: "Change the password of user@example.com", Impact: doctor.RestartsPods,
			Changes: []cluster.Change{cluster.Edit(holder, func(o *unstructured.Unstructured) { put(o, e.PasswordHash) })}}
		if dex != nil {
			f.Fix.Changes = append(f.Fix.Changes, doctor.RestartOf(dex))
		}
		f.Fix, err = withGatewayKeys(ctx, e, f.Fix)
		return []doctor.Finding{f}, err
	},
}

const (
	passwordKey = "DEX_USER_PASSWORD" // of the Secret, from 1.9 on
	dexFile     = "config.yaml"
)

// findHash returns the object with the hash of the default password, and how to replace it there; nil when there is none.
func findHash(config, secret *unstructured.Unstructured) (holder *unstructured.Unstructured, field string, put func(*unstructured.Unstructured, string)) {
	if isDefaultHash(secretValue(secret, passwordKey)) {
		return secret, "data." + passwordKey, func(o *unstructured.Unstructured, hash string) { setSecretValue(o, passwordKey, hash) }
	}
	file := kube.Text(config.Object, "data", dexFile)
	for _, hash := range cluster.PasswordHash.FindAllString(file, -1) {
		if isDefaultHash(hash) {
			return config, "data." + dexFile, func(o *unstructured.Unstructured, with string) {
				changed := cluster.PasswordHash.ReplaceAllStringFunc(kube.Text(o.Object, "data", dexFile), func(old string) string {
					if isDefaultHash(old) {
						return with
					}
					return old
				})
				_ = unstructured.SetNestedField(o.Object, changed, "data", dexFile)
			}
		}
	}
	return nil, "", nil
}
