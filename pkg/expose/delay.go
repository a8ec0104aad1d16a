package expose

// A Delay is why a Service has no address yet, and what to do about it.
type Delay struct {
	Why     string // "the subscription has no public address left"
	Advice  string // what to do, as a sentence; "" when waiting is right
	Command string // what to type for it; "" when there is nothing to type
}

// Next is the advice with its command.
func (d Delay) Next() string {
	if d.Command == "" {
		return d.Advice
	}
	return d.Advice + ": " + d.Command
}
