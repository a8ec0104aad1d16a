package fixes

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// restart makes every workload replace its pods, once, and returns those that do.
func (c *fixer) restart(ctx context.Context, jobs []job, at time.Time) ([]cluster.Ref, error) {
	var restarted []cluster.Ref
	steps := map[cluster.Ref][]*Step{}
	var refs []cluster.Ref
	for _, j := range jobs {
		for _, s := range j.steps {
			if s.Verb != cluster.Restart || s.State != StepPlanned {
				continue
			}
			if steps[s.About] == nil {
				refs = append(refs, s.About)
			}
			steps[s.About] = append(steps[s.About], s)
		}
	}
	for _, ref := range refs {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		err := c.restartOne(ctx, steps[ref], at)
		if err == nil {
			restarted = append(restarted, ref)
		} else if !apierrors.IsNotFound(err) {
			c.say(err.Error())
		}
		if err := c.store(context.WithoutCancel(ctx)); err != nil {
			return nil, err
		}
	}
	return restarted, nil
}

// restartOne restarts one workload, for all the steps that ask for it.
func (c *fixer) restartOne(ctx context.Context, steps []*Step, at time.Time) error {
	for _, s := range steps {
		s.sent = true
	}
	after, err := restartNow(ctx, c.client, steps[0].About, at)
	for _, s := range steps {
		switch {
		case err == nil:
			s.State, s.UID = StepMade, after.GetUID()
		case rejected(err):
			s.State = StepFailed
		}
	}
	return err
}

// restartNow makes one workload replace its pods.
func restartNow(ctx context.Context, client *cluster.Client, ref cluster.Ref, at time.Time) (*unstructured.Unstructured, error) {
	for try := 1; ; try++ {
		workload, err := client.View().Get(ctx, ref)
		if err != nil {
			return nil, err
		}
		after, err := client.Do(ctx, doctor.RestartAt(workload, at.UTC().Format(time.RFC3339)), cluster.Options{Manager: doctor.Manager})
		if err == nil || !conflicted(err) || try == 5*most {
			return after, err
		}
	}
}

// rolls reports whether changing an object replaces pods that are worth waiting for.
func rolls(ref cluster.Ref) bool {
	return ref.Kind == "Deployment" || ref.Kind == "StatefulSet" || ref.Kind == "DaemonSet"
}
