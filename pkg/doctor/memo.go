package doctor

import "sync"

// memo holds what several checks work out of the same lists: in a large cluster, doing it once per check takes longer than asking.
type memo struct{ known sync.Map }

// Once returns the result of work the first time, and the same result whenever it is asked for again in one look. Who changes it
// changes it for others.
func Once[T any](e Exam, key string, work func() (T, error)) (T, error) {
	if e.memo == nil {
		return work()
	}
	once, _ := e.memo.known.LoadOrStore(key, sync.OnceValues(work))
	return once.(func() (T, error))()
}
