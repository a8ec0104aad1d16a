package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/yamledit"
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
		{Kind: kube.SecretKind, In: []string{passwordsRef.Namespace}, Names: []string{passwordsRef.Name}, Fields: []string{"/data/*"}},
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
		if e.PasswordUser != "" {
			return changePassword(ctx, e)
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
		f.Fix, err = passwordFix(ctx, e, "user@example.com", dex, cluster.Edit(holder, func(o *unstructured.Unstructured) { put(o, e.PasswordHash) }))
		return []doctor.Finding{f}, err
	},
}

// passwordFix returns the fix that writes a hash where dex reads it, and restarts dex.
func passwordFix(ctx context.Context, e doctor.Exam, user string, dex *unstructured.Unstructured, write cluster.Change) (*doctor.Fix, error) {
	fix := &doctor.Fix{Title: "Change the password of " + user, Impact: doctor.RestartsPods, Changes: []cluster.Change{write}}
	if dex != nil {
		fix.Changes = append(fix.Changes, doctor.RestartOf(dex))
	}
	return withGatewayKeys(ctx, e, fix)
}

// changePassword reports that a user is to have another password, whatever the present one is; nothing once that is so.
func changePassword(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
	dex, err := dashboard.ReadDex(ctx, e)
	if err != nil || dex == nil {
		return nil, err
	}
	user := dex.User(e.PasswordUser)
	switch {
	case user == nil:
		return nil, doctor.Skip("dex has no user %s of its own", e.PasswordUser)
	case user.Hash.Value == e.PasswordHash:
		return nil, nil
	case user.Hash.Object == nil || !cluster.PasswordHash.MatchString(user.Hash.Value):
		return nil, doctor.Skip("where dex has the password of %s is not known", e.PasswordUser)
	}
	holder := cluster.RefOf(user.Hash.Object).Identity()
	var put func(*unstructured.Unstructured)
	switch {
	case holder == passwordsRef.Identity():
		put = func(o *unstructured.Unstructured) { setSecretValue(o, user.Hash.Key, e.PasswordHash) }
	case holder == dexConfigRef.Identity() && user.Hash.Key == dexFile:
		file, err := withHash(dex.Config.Value, user.Email, user.Hash.Value, e.PasswordHash)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", dexFile, dexConfigRef, err)
		}
		put = func(o *unstructured.Unstructured) { _ = unstructured.SetNestedField(o.Object, file, "data", dexFile) }
	default:
		return nil, doctor.Skip("the password of %s is in %s, where this program does not write", e.PasswordUser, holder)
	}
	write := cluster.Edit(user.Hash.Object, put)
	f := doctor.Finding{
		Severity: doctor.Info,
		About:    doctor.Subject{Ref: cluster.RefOf(user.Hash.Object), Field: user.Hash.Field},
		Message:  e.PasswordUser + " is to have a new password",
	}
	f.Fix, err = passwordFix(ctx, e, e.PasswordUser, dex.Workload, write)
	return []doctor.Finding{f}, err
}

// withHash replaces the hash of one user in dex's configuration, and leaves every other character.
func withHash(file, email, old, hash string) (string, error) {
	document, err := yaml.Parse(file)
	if err != nil {
		return "", err
	}
	users, err := document.Pipe(yaml.Lookup("staticPasswords"))
	if err != nil || users == nil {
		return "", fmt.Errorf("it has no staticPasswords: %w", err)
	}
	for _, user := range users.Content() {
		name, is := yamledit.ValueOf(user, "email"), yamledit.ValueOf(user, "hash")
		if name == nil || is == nil || name.Value != email || is.Value != old {
			continue
		}
		at := yamledit.Offsets(file)(is)
		if n := strings.Index(file[at:], old); n == 0 || n == 1 { // after a quote
			return file[:at+n] + hash + file[at+n+len(old):], nil
		}
	}
	return "", fmt.Errorf("the hash of %s is written in a way that cannot be replaced safely", email)
}

const (
	passwordKey = "DEX_USER_PASSWORD" // of the Secret, from 1.9 on
	dexFile     = "config.yaml"
)

// findHash returns the object with the hash of the default password, and how to replace it there; nil when there is none.
func findHash(config, secret *unstructured.Unstructured) (holder *unstructured.Unstructured, field string, put func(*unstructured.Unstructured, string)) {
	if IsDefaultHash(secretValue(secret, passwordKey)) {
		return secret, "data." + passwordKey, func(o *unstructured.Unstructured, hash string) { setSecretValue(o, passwordKey, hash) }
	}
	file := kube.Text(config.Object, "data", dexFile)
	for _, hash := range cluster.PasswordHash.FindAllString(file, -1) {
		if IsDefaultHash(hash) {
			return config, "data." + dexFile, func(o *unstructured.Unstructured, with string) {
				changed := cluster.PasswordHash.ReplaceAllStringFunc(kube.Text(o.Object, "data", dexFile), func(old string) string {
					if IsDefaultHash(old) {
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
