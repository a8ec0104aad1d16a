package control

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAKeyIsTriedAgainAfterAnErrorAndTheErrorIsLogged(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	loop := New("mender", 1, func(_ context.Context, key string) (time.Duration, error) {
		calls++
		if calls < 3 {
			return 0, errors.New("not yet")
		}
		cancel()
		return 0, nil
	})
	loop.Add("a/b")
	var log bytes.Buffer
	loop.Run(ctx, &log)
	if calls != 3 {
		t.Errorf("reconciled %d times, want 3", calls)
	}
	if got := strings.Count(log.String(), "mender: a/b: not yet\n"); got != 2 {
		t.Errorf("logged %d errors, want 2:\n%s", got, log.String())
	}
}

func TestAKeyComesBackAfterTheTimeItAskedFor(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	loop := New("mender", 1, func(context.Context, string) (time.Duration, error) {
		if calls++; calls == 2 {
			cancel()
		}
		return time.Millisecond, nil
	})
	loop.Add("a")
	loop.Run(ctx, &bytes.Buffer{})
	if calls != 2 {
		t.Errorf("reconciled %d times, want 2", calls)
	}
}
