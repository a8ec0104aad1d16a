package kube

import "time"

// Backoff returns how long to wait before the next attempt, counted from 0: from a fifth of a second up to five seconds.
func Backoff(attempt int) time.Duration {
	return min(200*time.Millisecond<<min(attempt, 10), 5*time.Second)
}
