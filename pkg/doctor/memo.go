package doctor

import (
	"errors"
	"sync"
)

// memo holds what several checks work out of the same lists: in a large cluster, doing it once per check takes longer than asking.
type memo struct{ known sync.Map }

type outcome[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// Once returns the result of work the first time, and the same result whenever it is asked for again in one look. Who changes it
// changes it for others.
func Once[T any](e Exam, key string, work func() (T, error)) (T, error) {
	if e.memo == nil {
		return work()
	}
	own := &outcome[T]{done: make(chan struct{}), err: errors.New("the check that reads " + key + " broke")}
	if first, known := e.memo.known.LoadOrStore(key, own); known {
		of := first.(*outcome[T])
		<-of.done
		return of.value, of.err
	}
	defer close(own.done)
	own.value, own.err = work()
	return own.value, own.err
}
