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
	Why: "Every release from 1.3 on comes with the user user@example.com, whose password stands in the documentation. Whoever reaches the dashboard signs in with it and may start containers " +
		"on the cluster: robots try it on every address they find.",
	FixNote: "Give a new password in a file, --dex-password FILE with --fix and --allow-restart: its hash is written where dex reads it, and dex is restarted. Nothing else changes, and the password itself " +
		"is kept nowhere. --undo puts the old hash back.",
	Sources: []string{"https://github.com/kubeflow/community-distribution/blob/master/README.md"},
	Reads:   slices.Concat(dashboard.GatewayKinds, []schema.GroupKind{kube.ConfigMapKind, kube.SecretKind, kube.DeploymentKind}),
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		config, err := workloads.Find(ctx, e, dexConfigRef)
		if err != nil {
			return nil, err
		}
		if config == nil {
			return nil, doctor.Skip("dex does not sign anybody in here")
		}
		secret, err := workloads.Find(ctx, e, passwordsRef)
		if err != nil {
			return nil, err
		}
		holder, field, put := whereTheHashIs(config, secret)
		if holder == nil {
			return nil, nil
		}
		far, err := reach(ctx, e)
		if err != nil {
			return nil, err
		}
		f := doctor.Finding{
			Severity:    graded(far),
			About:       doctor.Subject{Ref: cluster.RefOf(holder), Field: field},
			Message:     "user@example.com signs in with the password that every Kubeflow comes with",
			Consequence: "Whoever reaches the dashboard may use it as that user.",
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
		return []doctor.Finding{f}, nil
	},
}

const (
	passwordKey = "DEX_USER_PASSWORD" // of the Secret, from 1.9 on
	dexFile     = "config.yaml"
)

// whereTheHashIs returns the object that holds the hash of the shipped password, and how to put another there; nil when none does.
func whereTheHashIs(config, secret *unstructured.Unstructured) (holder *unstructured.Unstructured, field string, put func(*unstructured.Unstructured, string)) {
	if hashOfShipped(held(secret, passwordKey)) {
		return secret, "data." + passwordKey, func(o *unstructured.Unstructured, hash string) { hold(o, passwordKey, hash) }
	}
	file := kube.Text(config.Object, "data", dexFile)
	for _, hash := range cluster.PasswordHash.FindAllString(file, -1) {
		if hashOfShipped(hash) {
			return config, "data." + dexFile, func(o *unstructured.Unstructured, with string) {
				changed := cluster.PasswordHash.ReplaceAllStringFunc(kube.Text(o.Object, "data", dexFile), func(old string) string {
					if hashOfShipped(old) {
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
