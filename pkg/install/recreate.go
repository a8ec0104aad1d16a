package install

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A remaking says how an object that cannot be changed in place is made anew.
type remaking struct {
	whole, orphan bool   // its pods go before it does; they stay, for the new one to take over
	effect        string // what that does
	refusal       string // why it is not done, whoever asks
}

// remake decides how one object is made anew. claims are the volume claims in its namespace.
func remake(before, want *object, claims []*object) remaking {
	ref := cluster.RefOf(before)
	how := remaking{effect: "what it made is made anew as well"}
	switch kind := ref.GroupKind().String(); {
	case keeper(ref):
		return remaking{refusal: "it holds data or other people's objects"}
	case kind == "StatefulSet.apps" && adopts(want, before):
		return remaking{orphan: true, effect: "its pods and volume claims stay, and are taken over"}
	case kind == "StatefulSet.apps":
		how = remaking{whole: true, effect: "its pods are replaced, its volume claims stay"}
	case podTemplate(before) != nil:
		how = remaking{whole: true, effect: "its pods are replaced"}
	case kind == "Service" && kube.Text(before.Object, "spec", "type") == "LoadBalancer":
		how.effect = "its address may become another"
	case kind == "Service":
		how.effect = "its cluster address becomes another"
	case kube.BuiltIn(ref.GroupKind()):
		how.effect = "nothing else goes with it"
	}
	if owns(before, claims) {
		return remaking{refusal: "its volume claims would be deleted with it"}
	}
	return how
}

// adopts tells whether a workload selects the pods that another one made.
func adopts(want, before *object) bool {
	return selector(kube.Map(want.Object, "spec", "selector")).Matches(labels.Set(templateLabels(podTemplate(before))))
}

func owns(o *object, claims []*object) bool {
	return slices.ContainsFunc(claims, func(claim *object) bool {
		return slices.ContainsFunc(claim.GetOwnerReferences(), func(owner metav1.OwnerReference) bool { return owner.UID == o.GetUID() })
	})
}

func claimsBeside(ctx context.Context, view cluster.View, o *object) ([]*object, error) {
	if o.GetNamespace() == "" {
		return nil, nil
	}
	list, err := view.List(ctx, kube.PersistentVolumeClaimKind, cluster.Scope{Namespace: o.GetNamespace(), Metadata: true})
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	return list, err
}

// bring takes one object to the cluster: it makes way for it, takes it over, and applies it. Cut off in between and done
// again, it comes to the same end.
func bring(ctx context.Context, client *cluster.Client, g Gated) (*object, error) {
	if g.clear != nil {
		if err := makeWay(ctx, client, g); err != nil {
			return nil, err
		}
	}
	if len(g.makers) > 0 && !keeper(g.Ref()) {
		if err := takeOver(ctx, client, g.Ref()); err != nil {
			return nil, err
		}
	}
	return client.Do(ctx, cluster.Change{Verb: cluster.Apply, After: g.Object}, cluster.Options{Manager: Manager, Force: true})
}

// makeWay deletes what is in an object's place, and waits until it is gone. Of another object of that name, which somebody
// has made since, it lets be.
func makeWay(ctx context.Context, client *cluster.Client, g Gated) error {
	for attempt := 0; ; attempt++ {
		live, err := client.View().Get(ctx, g.Ref())
		if apierrors.IsNotFound(err) || err == nil && live.GetUID() != g.clear.GetUID() {
			return nil
		}
		if err == nil && live.GetDeletionTimestamp() == nil && g.verdict != nil {
			_, err = client.Do(ctx, cluster.Change{Verb: cluster.Delete, Before: g.clear}, cluster.Options{Manager: Manager, Whole: g.verdict.how.whole, Orphan: g.verdict.how.orphan})
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err := kube.Sleep(ctx, min(backoff(attempt), leaseWatched)); err != nil {
			return err
		}
	}
}
