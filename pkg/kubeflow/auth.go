package kubeflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/tenancy"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/fixes"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/lock"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

// SignIn reads how users sign in, and what the doctor finds about that.
func SignIn(ctx context.Context, client *cluster.Client) (*signin.Status, *doctor.Report, error) {
	in, err := FromCluster(ctx, client)
	if err != nil {
		return nil, nil, err
	}
	view := in.view()
	status, err := signin.Read(ctx, view)
	if err != nil {
		return nil, nil, err
	}
	about, err := checks.Find("auth")
	if err != nil {
		return nil, nil, err
	}
	return status, doctor.Diagnose(ctx, view, about, doctor.Options{Settings: doctor.Settings{Release: in.Release}}), nil
}

// SetPassword changes the password of one of dex's own users to the one with this hash: see [signin.HashPassword] and [Fix].
func SetPassword(ctx context.Context, client *cluster.Client, user, hash string, o Options) (*doctor.Report, error) {
	dex, err := dashboard.ReadDex(ctx, client.View())
	if err != nil {
		return nil, err
	}
	if dex == nil {
		return nil, &problem.Error{What: "there is no dex on this cluster, so no password to change", Next: "Find out how users sign in with: kubectl kubeflow auth"}
	}
	known := dex.User(user)
	if known == nil {
		names := text.Names(dex.Users, text.Most, func(u dashboard.DexUser) string { return u.Email })
		return nil, &problem.Error{What: fmt.Sprintf("dex has no user %s of its own", user), Next: fmt.Sprintf("Its users are: %s. Others have their passwords with their provider", names)}
	}
	if o.Checks, err = checks.Find("auth/password"); err != nil {
		return nil, err
	}
	o.PasswordUser, o.PasswordHash, o.Named, o.Allow = known.Email, hash, true, []doctor.Impact{doctor.RestartsPods}
	return Fix(ctx, client, o)
}

// RotateSecrets gives authentication and the object store new secrets in the place of the default ones: see [Fix]. If the object store or
// one of its clients does not run with the new key, everything is undone.
func RotateSecrets(ctx context.Context, client *cluster.Client, o Options) (*doctor.Report, error) {
	var err error
	if o.Checks, err = checks.Find("auth/secrets"); err != nil {
		return nil, err
	}
	o.Named, o.Allow = true, []doctor.Impact{doctor.RestartsPods}
	report, err := Fix(ctx, client, o)
	if err != nil || o.DryRun {
		return report, err
	}
	return report, undoUnlessRunning(ctx, client, report, o)
}

// rotationTime is how long pods that came to rest may take to be ready, where --timeout has passed already.
const rotationTime = 30 * time.Second

// undoUnlessRunning undoes a rotation after which a restarted workload does not run.
func undoUnlessRunning(ctx context.Context, client *cluster.Client, report *doctor.Report, o Options) error {
	var restarted []cluster.Ref
	run := ""
	for _, f := range report.Fixes {
		for _, c := range f.Fix.Changes {
			if c.Verb == cluster.Restart && f.Outcome != doctor.Failed && f.Outcome != doctor.Refused {
				restarted, run = append(restarted, c.Ref()), f.Run
			}
		}
	}
	if run == "" {
		return nil
	}
	notReady, err := fixes.RollOut(ctx, client, restarted, rotationTime, func(string) {})
	if err != nil || len(notReady) == 0 {
		return err
	}
	broken := restarted[slices.IndexFunc(restarted, func(r cluster.Ref) bool { return notReady[r] != "" })]
	what := fmt.Sprintf("%s does not run with the new secrets: %s", broken, notReady[broken])
	if err := undoRun(ctx, client, run, o); err != nil {
		return &problem.Error{Err: err, What: what + "; and undoing the change failed: " + err.Error(), Next: "Undo it with: kubectl kubeflow doctor --undo"}
	}
	return &problem.Error{What: what, Next: "All secrets are the old ones again. Find out why with: kubectl kubeflow doctor pods"}
}

// undoRun undoes a run of fixes.
func undoRun(ctx context.Context, client *cluster.Client, name string, o Options) error {
	history, err := fixes.ReadHistory(ctx, client.View())
	if err != nil {
		return err
	}
	at := slices.IndexFunc(history.Runs, func(r fixes.Run) bool { return r.Name == name })
	if at < 0 {
		return fmt.Errorf("the record %s was not found", name)
	}
	undone, err := fixes.Undo(ctx, client, checks.All(), history.Runs[at], fixes.UndoOptions{Wait: o.Wait, Now: o.Now, Progress: o.Progress})
	if err == nil && !undone.Whole() {
		err = errors.New("another client changed an object since")
	}
	return err
}

// Grants returns the changes that give users what is asked for, decided together: nothing is returned if one of them is refused. Shares of
// Profiles that these changes create can only be given later: see [Settled].
func Grants(ctx context.Context, client *cluster.Client, grants []signin.Grant) (changes []cluster.Change, later []signin.Grant, err error) {
	view := client.View()
	profiles, err := signin.Profiles(ctx, view)
	if err != nil {
		return nil, nil, err
	}
	owners, err := policies(ctx, view, cluster.Scope{Fields: "metadata.name=" + tenancy.OwnerPolicy}, (*unstructured.Unstructured).GetNamespace)
	if err != nil {
		return nil, nil, err
	}
	now, later := signin.Split(grants, profiles)
	for _, g := range append(now, later...) {
		if err := g.Check(); err != nil {
			return nil, nil, err
		}
	}
	for _, g := range now {
		some, err := signin.Add(g, profiles, owners)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range some {
			i := slices.IndexFunc(changes, func(o cluster.Change) bool { return o.Ref().Identity() == c.Ref().Identity() })
			if i < 0 {
				changes = append(changes, c)
			} else if has := userOf(changes[i]); has != userOf(c) {
				return nil, nil, signin.SameName(has, userOf(c), c.Ref().Namespace)
			}
		}
	}
	return changes, later, nil
}

// userOf is the contributor whom a new object is for, "" for another object.
func userOf(c cluster.Change) string { return c.After.GetAnnotations()[tenancy.UserAnnotation] }

// Settled waits until the profile controller has filled the namespaces of Profiles that users are to share.
func Settled(ctx context.Context, client *cluster.Client, shares []signin.Grant, timeout time.Duration) error {
	missing := ""
	err := wait.PollUntilContextTimeout(ctx, time.Second, timeout, true, func(ctx context.Context) (bool, error) {
		owners, err := policies(ctx, client.View(), cluster.Scope{Fields: "metadata.name=" + tenancy.OwnerPolicy}, (*unstructured.Unstructured).GetNamespace)
		missing = ""
		for _, g := range shares {
			for _, name := range g.ContributorOf {
				if owners[name] == nil {
					missing = name
				}
			}
		}
		return missing == "", err
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return &problem.Error{What: fmt.Sprintf("the profile controller has not filled namespace %s after %s", missing, timeout), Next: "Find out why with: kubectl kubeflow doctor tenancy. Then run the same command again"}
	}
	return err
}

// Revocation returns what takes a user's access away.
func Revocation(ctx context.Context, client *cluster.Client, user string) (signin.Removal, error) {
	view := client.View()
	profiles, err := signin.Profiles(ctx, view)
	if err != nil {
		return signin.Removal{}, err
	}
	all, err := policies(ctx, view, cluster.Scope{}, func(o *unstructured.Unstructured) string { return o.GetNamespace() + "/" + o.GetName() })
	return signin.Remove(user, profiles, all), err
}

func policies(ctx context.Context, view cluster.View, in cluster.Scope, key func(*unstructured.Unstructured) string) (map[string]*unstructured.Unstructured, error) {
	all, err := cluster.IgnoreNoMatch(view.List(ctx, dashboard.AuthorizationPolicyKind, in))
	found := map[string]*unstructured.Unstructured{}
	for _, o := range all {
		found[key(o)] = o
	}
	return found, err
}

// Change makes the changes of [Grants] or [Revocation] one after the other, while it holds the cluster's Lease, and reports each. What others
// have made or deleted in the meantime is left as it is.
func Change(ctx context.Context, client *cluster.Client, changes []cluster.Change, notify Notify, made func(cluster.Change)) error {
	held, release, err := lock.Acquire(ctx, client, "changing who has access", func(e lock.Event) { notify.say("%s", e) })
	if err != nil {
		return err
	}
	defer release()
	for _, c := range changes {
		_, err := client.Do(held, c, cluster.Options{Manager: "kubectl-kubeflow-auth"})
		switch {
		case err == nil:
			made(c)
		case c.Verb == cluster.Create && apierrors.IsAlreadyExists(err), c.Verb == cluster.Delete && apierrors.IsNotFound(err):
		default:
			if lost := lock.Lost(held); lost != nil {
				return lost
			}
			return err
		}
	}
	return nil
}

// A keptSignIn is the record of the identity provider that users sign in with, as it is and as it is after an install.
type keptSignIn struct {
	prior, record *signin.Record
	secret        *unstructured.Unstructured
}

// store writes the record: before an install also what the objects of the earlier release were.
func (s *keptSignIn) store(ctx context.Context, client *cluster.Client, installed bool) error {
	if s == nil {
		return nil
	}
	r := s.record
	if !installed {
		before := *r
		before.Earlier = s.prior
		r = &before
	}
	var err error
	s.secret, err = r.Store(ctx, client, s.secret)
	return err
}

// withoutIdentity returns a View without the identity provider that was added to the cluster, and notes its record.
func (k *kept) withoutIdentity(ctx context.Context, view cluster.View) (cluster.View, error) {
	cluster.Ahead(ctx, view, cluster.Question{Ref: signin.RecordRef})
	written, secret, err := signin.ReadRecord(ctx, view)
	if apierrors.IsForbidden(err) {
		return nil, &problem.Error{Err: err, What: "you are not allowed to read how users sign in, which an install must keep", Next: state.AskFor}
	}
	if written == nil || err != nil {
		return view, err
	}
	k.rests(signin.RecordRef, secret)
	k.signIn = &keptSignIn{prior: written, secret: secret}
	return written.Without(ctx, view)
}

// keepIdentity gives the components the identity provider that users sign in with, where one was added.
func (k *kept) keepIdentity(ctx context.Context, view cluster.View) (doctor.Adaptation, error) {
	made := doctor.Adaptation{Check: "auth/sign-in", Title: "Keep the identity provider that users sign in with", Reason: "it was added to the cluster, and the manifests have none"}
	if k.signIn == nil {
		return made, nil
	}
	var rendered []*unstructured.Unstructured
	for _, component := range k.components {
		rendered = append(rendered, component.Objects...)
	}
	edits, after, err := k.signIn.prior.Keep(ctx, view, rendered)
	if err != nil || after == nil { // none of its objects is installed
		k.signIn = nil
		return made, err
	}
	k.signIn.record = after
	for _, e := range edits {
		made.Changes = append(made.Changes, cluster.Change{Verb: cluster.Patch, Before: e.Before, After: e.After})
		for _, component := range k.components {
			for i, o := range component.Objects {
				if o == e.Before {
					component.Objects[i] = e.After
				}
			}
		}
	}
	return made, nil
}
