package verify

import (
	"context"
	"sync"
	"time"
)

// A clock ends a test's context when its time is used up. It stands still while images are pulled.
type clock struct {
	mu      sync.Mutex
	left    time.Duration
	pulling int
	pull    time.Duration
	done    chan struct{}
	once    sync.Once
}

const tick = 100 * time.Millisecond

func newClock(ctx context.Context, budget time.Duration) (context.Context, *clock) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := &clock{left: budget, done: make(chan struct{})}
	go func() {
		defer cancel(nil)
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		last := time.Now()
		for {
			select {
			case <-c.done:
				return
			case <-ctx.Done():
				return
			case now := <-ticker.C:
				if c.spend(now.Sub(last)) {
					cancel(errBudget)
					return
				}
				last = now
			}
		}
	}()
	return ctx, c
}

// spend counts time and reports whether the budget is used up.
func (c *clock) spend(d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pulling > 0 {
		c.pull += d
		return false
	}
	c.left -= d
	return c.left <= 0
}

// hold stands still until the returned function is called.
func (c *clock) hold() (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulling++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.pulling--
	})
}

func (c *clock) pulled() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pull
}

func (c *clock) stop() { c.once.Do(func() { close(c.done) }) }
