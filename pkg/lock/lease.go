package lock

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/state"
)

const (
	LeaseName       = state.Manager
	leaseDuration   = 20 * time.Second
	maxDuration     = time.Minute // how long to wait for a holder that does not renew, whatever its Lease says
	renewInterval   = 4 * time.Second
	pollInterval    = 500 * time.Millisecond
	doingAnnotation = "kubeflow.org/doing"
	releaseTimeout  = 5 * time.Second
	maxReadAttempts = 8 // while the server does not respond: about half a minute
)

// A Holder is the process that holds the Lease.
type Holder struct {
	Who   string    `json:"who"`   // jane@laptop
	Doing string    `json:"doing"` // "installing Kubeflow 26.03"
	Since time.Time `json:"since"` // by the holder's clock
	Own   bool      `json:"-"`     // it is this process
}

// HeldError is returned when another process holds the Lease.
type HeldError struct{ By Holder }

func (h *HeldError) Error() string {
	return fmt.Sprintf("%s is %s on this cluster, since %s", h.By.Who, h.By.Doing, h.By.since())
}

func (h Holder) since() string { return h.Since.Local().Format("15:04:05 on 2 January") }

// An Event is something to know about an acquisition.
type Event struct {
	Holder    Holder
	TakenOver bool // from a holder that has ended; else this process waits for it
}

func (e Event) String() string {
	if e.TakenOver {
		return fmt.Sprintf("Took over the Lease of %s, who was %s: that process has ended or lost its connection.", e.Holder.Who, e.Holder.Doing)
	}
	return fmt.Sprintf("Waiting for the Lease of %s, who is %s since %s ...", e.Holder.Who, e.Holder.Doing, e.Holder.since())
}

// Acquire keeps other processes from changing the cluster: it creates a Lease, renews it, and deletes it when release is
// called. doing says what for, in words that follow "jane is": "installing Kubeflow 26.03". tell receives what to know on the way;
// it may be nil. The Lease is in the namespace of the records, which is created if it does not exist.
//
// The caller must use the returned context. It is cancelled if the Lease is lost (see [Lost]), which only happens if this
// process could not reach the cluster until the Lease expired and another process acquired it.
//
// If another process holds and renews the Lease the error is a [HeldError], wrapped in a problem.Error. A Lease whose holder
// has ended or stopped renewing it is taken over.
func Acquire(ctx context.Context, client *cluster.Client, doing string, tell func(Event)) (held context.Context, release func(), err error) {
	if err := state.Ensure(ctx, client); err != nil {
		return nil, nil, err
	}
	held, release, err = AcquireIn(ctx, client, state.Namespace, doing, tell)
	if apierrors.IsForbidden(err) {
		return nil, nil, &problem.Error{Err: err, What: fmt.Sprintf("you are not allowed to write Leases in namespace %s, which keep two programs from changing Kubeflow at the same time", state.Namespace), Next: state.AskFor}
	}
	return held, release, err
}

// AcquireIn is Acquire for a Lease in another namespace, which exists.
func AcquireIn(ctx context.Context, client *cluster.Client, namespace, doing string, tell func(Event)) (context.Context, func(), error) {
	if tell == nil {
		tell = func(Event) {}
	}
	h := &holding{leases: client.Kube.CoordinationV1().Leases(namespace), identity: ownIdentity(), doing: doing, tell: tell}
	if err := h.acquire(ctx); err != nil {
		return nil, nil, err
	}
	held, lose := context.WithCancelCause(ctx)
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.renew(renewing, lose)
	}()
	return held, func() {
		stop()
		<-done
		h.release(ctx)
		lose(nil)
	}, nil
}

// A holding is this process's claim to a Lease. It sends Create requests, not Changes, because creating must fail if the Lease exists.
type holding struct {
	leases   coordination.LeaseInterface
	identity identity
	doing    string
	tell     func(Event)
	lease    *coordinationv1.Lease
}

// acquire gets the Lease, or returns an error that names its holder.
func (h *holding) acquire(ctx context.Context) error {
	var seen *coordinationv1.Lease // another holder's, as first read
	var since time.Time
	told := false
	for attempt := 0; ; {
		lease, err := h.leases.Get(ctx, LeaseName, metav1.GetOptions{})
		pause := pollInterval
		switch {
		case apierrors.IsNotFound(err):
			if done, err := h.claim(ctx, nil); done || err != nil {
				return err
			}
		case cluster.Transient(err) && attempt < maxReadAttempts:
			pause = kube.Backoff(attempt)
			attempt++
		case err != nil:
			return fmt.Errorf("reading the Lease: %w", err)
		case holderOf(lease) == h.identity.String():
			h.lease = lease // the response to the request that created it was lost
			return nil
		case seen == nil:
			seen, since = lease, time.Now()
			fallthrough
		case seen.UID == lease.UID && seen.ResourceVersion == lease.ResourceVersion:
			if !h.identity.knowsGone(holderOf(lease)) && time.Since(since) < durationOf(lease) {
				if !told {
					h.tell(Event{Holder: describe(lease)})
				}
				told = true
				break
			}
			done, err := h.claim(ctx, lease)
			if done && holderOf(lease) != "" {
				h.tell(Event{Holder: describe(lease), TakenOver: true})
			}
			if done || err != nil {
				return err
			}
		case holderOf(seen) == holderOf(lease): // renewed meanwhile: its holder is alive
			return heldError(lease)
		default:
			seen, since = lease, time.Now()
		}
		if err := kube.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// claim creates the Lease, or takes over one whose holder is gone. done is false if another process was faster.
func (h *holding) claim(ctx context.Context, from *coordinationv1.Lease) (done bool, err error) {
	now := metav1.NowMicro()
	name, seconds := h.identity.String(), int32(leaseDuration/time.Second)
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: LeaseName, Labels: map[string]string{state.ManagedByLabel: state.Manager}, Annotations: map[string]string{doingAnnotation: h.doing}},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now},
	}
	if from == nil {
		h.lease, err = h.leases.Create(ctx, lease, metav1.CreateOptions{FieldManager: state.Manager})
	} else {
		lease.UID, lease.ResourceVersion = from.UID, from.ResourceVersion
		h.lease, err = h.leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: state.Manager})
	}
	switch {
	case err == nil:
		return true, nil
	case apierrors.IsAlreadyExists(err), apierrors.IsConflict(err), apierrors.IsNotFound(err) && from != nil, cluster.Transient(err):
		return false, nil
	}
	return false, fmt.Errorf("acquiring the Lease for %s: %w", h.doing, err)
}

// renew renews the Lease until ctx ends. Failed requests do not end it: only another holder's name in the Lease does.
func (h *holding) renew(ctx context.Context, lose context.CancelCauseFunc) {
	for kube.Sleep(ctx, renewInterval) == nil {
		now := metav1.NowMicro()
		next := h.lease.DeepCopy()
		next.Spec.RenewTime = &now
		after, err := h.leases.Update(ctx, next, metav1.UpdateOptions{FieldManager: state.Manager})
		if err == nil {
			h.lease = after
			continue
		}
		if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			continue
		}
		switch live, err := h.leases.Get(ctx, LeaseName, metav1.GetOptions{}); {
		case err == nil && holderOf(live) == h.identity.String():
			h.lease = live
		case apierrors.IsNotFound(err):
			_, _ = h.claim(ctx, nil) // a failure is retried at the next tick
		case err == nil:
			lose(heldError(live))
			return
		}
	}
}

// release deletes the Lease, if it still is this process's.
func (h *holding) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	for attempt := 0; ; attempt++ {
		live, err := h.leases.Get(ctx, LeaseName, metav1.GetOptions{})
		if err == nil {
			if holderOf(live) != h.identity.String() {
				return
			}
			err = h.leases.Delete(ctx, LeaseName, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &live.UID, ResourceVersion: &live.ResourceVersion}})
		}
		if err == nil || !cluster.Transient(err) || kube.Sleep(ctx, kube.Backoff(attempt)) != nil {
			return // a Lease that cannot be deleted expires
		}
	}
}

func heldError(lease *coordinationv1.Lease) error {
	held := &HeldError{By: describe(lease)}
	return &problem.Error{What: held.Error(), Err: held,
		Next: fmt.Sprintf("Wait until it is done, then run the same command again. If that process no longer runs, its Lease expires within %s", leaseDuration)}
}

func describe(lease *coordinationv1.Lease) Holder {
	h := Holder{Who: parseIdentity(holderOf(lease)).who(), Doing: lease.Annotations[doingAnnotation]}
	if lease.Spec.AcquireTime != nil {
		h.Since = lease.Spec.AcquireTime.Time
	}
	return h
}

func holderOf(lease *coordinationv1.Lease) string {
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

func durationOf(lease *coordinationv1.Lease) time.Duration {
	if lease.Spec.LeaseDurationSeconds == nil || holderOf(lease) == "" {
		return 0
	}
	return min(time.Duration(*lease.Spec.LeaseDurationSeconds)*time.Second, maxDuration)
}

// Lost returns why the Lease was lost, nil if it was not.
func Lost(held context.Context) error {
	var lost *HeldError
	if cause := context.Cause(held); errors.As(cause, &lost) {
		return cause
	}
	return nil
}
