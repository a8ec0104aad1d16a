package kubeflow

import "fmt"

// A Notice is something to know on the way that is no result: what is fetched, what was decided, a warning.
type Notice struct {
	Warning bool
	Text    string // a line or a few, without "Warning: "
}

// A Notify receives notices while a use case is under way; nil drops them.
type Notify func(Notice)

func (n Notify) say(format string, args ...any) {
	if n != nil {
		n(Notice{Text: fmt.Sprintf(format, args...)})
	}
}

func (n Notify) warn(format string, args ...any) {
	if n != nil {
		n(Notice{Warning: true, Text: fmt.Sprintf(format, args...)})
	}
}
