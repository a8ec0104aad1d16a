package release

// An InputError is a fault in what the user gave: a file, a flag or an archive. It says what
// happened and what to do about it, each in one sentence.
type InputError struct {
	What string
	Do   string
	Err  error
}

// Error joins both sentences.
func (e *InputError) Error() string {
	text := e.What
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.Do != "" {
		text += "; " + e.Do
	}
	return text
}

// Unwrap gives the cause.
func (e *InputError) Unwrap() error { return e.Err }
