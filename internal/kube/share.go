package kube

import "hash/maphash"

// Shared makes equal values one. Thousands of pods differ in their names and hardly in anything else, so that it saves most of the
// memory of a long list. The zero Shared is ready for use; it is not safe for concurrent use.
type Shared struct {
	seed  maphash.Seed
	texts map[string]string
	trees map[uint64][]any
}

// Map returns a map in which every value that was there before is the one from before.
func (s *Shared) Map(m map[string]any) map[string]any {
	if s.trees == nil {
		s.seed, s.texts, s.trees = maphash.MakeSeed(), map[string]string{}, map[uint64][]any{}
	}
	shared, _ := s.value(m)
	one, _ := shared.(map[string]any)
	return one
}

// value returns a value's shared form and its hash.
func (s *Shared) value(of any) (any, uint64) {
	switch v := of.(type) {
	case string:
		one, known := s.texts[v]
		if !known {
			one = v
			s.texts[v] = v
		}
		return one, maphash.String(s.seed, v)
	case map[string]any:
		sum := uint64(len(v))
		for name, field := range v {
			one, hash := s.value(field)
			v[name] = one
			sum += hash ^ maphash.String(s.seed, name)*31 // in any order
		}
		return s.tree(v, sum), sum
	case []any:
		sum := uint64(len(v)) + 7
		for i, item := range v {
			one, hash := s.value(item)
			v[i] = one
			sum = sum*31 + hash
		}
		return s.tree(v, sum), sum
	case nil:
		return nil, 0
	case bool, int64, float64:
		return v, maphash.Comparable(s.seed, v)
	}
	return of, 1
}

func (s *Shared) tree(v any, hash uint64) any {
	for _, one := range s.trees[hash] {
		if equal(one, v) {
			return one
		}
	}
	s.trees[hash] = append(s.trees[hash], v)
	return v
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, field := range a {
			other, found := b[name]
			if !found || !equal(field, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	}
	return a == b
}
