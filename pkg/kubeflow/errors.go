package kubeflow

// A UsageError is for the user to correct: options that do not go together, or a consent that is missing.
type UsageError struct {
	What string // what is wrong
	Next string // what to do instead
}

func (e *UsageError) Error() string { return e.What }
