package pipelines

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"
)

// An experiment is a record of the API server.
type experiment struct {
	ID, Name, Namespace string
	Created             time.Time
}

// A run is a record of the API server; its state is its Workflow's.
type run struct {
	ID, Name, Namespace, Experiment, Workflow string
	Created                                   time.Time
}

// records are the API server's database.
type records struct {
	mu          sync.Mutex
	experiments []experiment
	runs        []run
}

// uuid returns a random UUID.
func uuid() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return fmt.Sprintf("%x-%x-4%x-a%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])[:36]
}

func find[T any](r *records, all *[]T, is func(T) bool) []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []T
	for _, one := range *all {
		if is(one) {
			found = append(found, one)
		}
	}
	return found
}

func add[T any](r *records, all *[]T, one T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*all = append(*all, one)
}

func drop[T any](r *records, all *[]T, is func(T) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rest []T
	for _, one := range *all {
		if !is(one) {
			rest = append(rest, one)
		}
	}
	*all = rest
}
