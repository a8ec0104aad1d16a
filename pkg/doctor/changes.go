package doctor

// Changes returns which problems a report has that an earlier one has not, and which it has no longer. A check that could not look
// resolves nothing. earlier may be nil.
func Changes(earlier, later *Report) (appeared, resolved []Problem) {
	if earlier == nil {
		earlier = &Report{}
	}
	before, after := earlier.problemsByKey(), later.problemsByKey()
	for _, p := range later.Problems() {
		if _, known := before[p.key()]; !known {
			appeared = append(appeared, p)
		}
	}
	for _, p := range earlier.Problems() {
		_, remains := after[p.key()]
		if c := later.Check(p.Check.ID); !remains && c != nil && c.Status != Unknown {
			resolved = append(resolved, p)
		}
	}
	return appeared, resolved
}

// A problemKey tells whether two problems are the same one: messages may have counts that change.
type problemKey struct {
	check    string
	severity Severity
	about    Subject
}

func (p Problem) key() problemKey {
	return problemKey{p.Check.ID, p.Finding.Severity, p.Finding.About}
}

func (r *Report) problemsByKey() map[problemKey]bool {
	keys := map[problemKey]bool{}
	for _, p := range r.Problems() {
		keys[p.key()] = true
	}
	return keys
}
