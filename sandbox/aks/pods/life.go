package pods

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// A stage is a state of a container.
type stage int

const (
	waiting  stage = iota // for its image
	unpulled              // the image cannot be pulled
	running
	backingOff // back-off after a crash
	ended
)

// A container is the remembered state of a container.
type container struct {
	stage    stage
	since    time.Time // start of this stage
	until    time.Time // end of the back-off
	restarts int32
	crash    *corev1.ContainerStateTerminated
	ready    bool
}

// A life is the remembered state of a pod.
type life struct {
	seen       time.Time
	address    string
	containers map[string]*container
}

func newLife(now time.Time, address string) *life {
	return &life{seen: now, address: address, containers: map[string]*container{}}
}

const (
	taskTime       = 500 * time.Millisecond // run time of a program that completes
	firstBackOff   = 10 * time.Second       // first back-off after a crash; doubles each time
	longestBackOff = 5 * time.Minute
)

// step advances a container to now and returns when to reconcile again (zero:
// only after a change).
func (l *life) step(name string, delay time.Duration, act Act, now time.Time) time.Time {
	c := l.containers[name]
	if c == nil {
		c = &container{since: l.seen}
		l.containers[name] = c
	}
	switch c.stage {
	case waiting:
		if due := l.seen.Add(delay); now.Before(due) {
			return due
		}
		return c.start(act, now)
	case unpulled:
		if act.Behaviour != Unpulled {
			return c.start(act, now)
		}
		return now.Add(firstBackOff)
	case running:
		return c.run(act, now)
	case backingOff:
		if now.Before(c.until) {
			return c.until
		}
		c.restarts++
		return c.start(act, now)
	}
	return time.Time{}
}

func (c *container) start(act Act, now time.Time) time.Time {
	c.since = now
	if act.Behaviour == Unpulled {
		c.stage = unpulled
		return now.Add(firstBackOff)
	}
	c.stage = running
	return c.run(act, now)
}

func (c *container) run(act Act, now time.Time) time.Time {
	c.ready = act.Behaviour != Hangs
	switch act.Behaviour {
	case Crashes:
		return c.startBackOff(act, now)
	case Completes:
		if due := c.since.Add(taskTime); now.Before(due) {
			return due
		}
		c.stage, c.ready = ended, false
	}
	return time.Time{}
}

// startBackOff ends a container's run after a crash. A kubelet restarts a program once without
// waiting, so the first back-off already counts one restart.
func (c *container) startBackOff(act Act, now time.Time) time.Time {
	c.crash = &corev1.ContainerStateTerminated{
		ExitCode: act.ExitCode, Reason: "Error", Message: act.Log,
		StartedAt: stamp(c.since), FinishedAt: stamp(now),
	}
	c.restarts = max(1, c.restarts)
	c.stage, c.ready, c.since = backingOff, false, now
	c.until = now.Add(min(firstBackOff<<min(c.restarts-1, 6), longestBackOff))
	return c.until
}
