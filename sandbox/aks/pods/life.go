package pods

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// A stage of a container's life.
type stage int

const (
	waiting  stage = iota // for its image
	unpulled              // the image cannot be had
	running
	resting // after a crash, until the next start
	ended
)

// A container is what is remembered of one container between two looks.
type container struct {
	stage    stage
	since    time.Time // start of this stage
	until    time.Time // end of a rest
	restarts int32
	crash    *corev1.ContainerStateTerminated
	ready    bool
}

// A life is what is remembered of a pod.
type life struct {
	seen       time.Time
	address    string
	containers map[string]*container
}

func newLife(now time.Time, address string) *life {
	return &life{seen: now, address: address, containers: map[string]*container{}}
}

const (
	taskTime  = 500 * time.Millisecond // that a program which completes runs
	firstRest = 10 * time.Second       // after a crash; twice as long each time
	longRest  = 5 * time.Minute
)

// step moves one container on to now and returns when to look again (zero:
// nothing will happen by itself).
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
		return now.Add(firstRest)
	case running:
		return c.run(act, now)
	case resting:
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
		return now.Add(firstRest)
	}
	c.stage = running
	return c.run(act, now)
}

func (c *container) run(act Act, now time.Time) time.Time {
	c.ready = act.Behaviour != Hangs
	switch act.Behaviour {
	case Crashes:
		return c.fall(act, now)
	case Completes:
		if due := c.since.Add(taskTime); now.Before(due) {
			return due
		}
		c.stage, c.ready = ended, false
	}
	return time.Time{}
}

// fall is a crash. A kubelet restarts a program once without waiting, so the
// first rest comes with one restart already counted.
func (c *container) fall(act Act, now time.Time) time.Time {
	c.crash = &corev1.ContainerStateTerminated{
		ExitCode: act.ExitCode, Reason: "Error", Message: act.Log,
		StartedAt: stamp(c.since), FinishedAt: stamp(now),
	}
	c.restarts = max(1, c.restarts)
	c.stage, c.ready, c.since = resting, false, now
	c.until = now.Add(min(firstRest<<min(c.restarts-1, 6), longRest))
	return c.until
}
