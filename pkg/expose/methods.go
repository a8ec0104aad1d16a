package expose

// Methods returns the ways to reach the dashboard, in the order people meet them: the safest first.
func Methods() []Method {
	return []Method{portForward, loadBalancer}
}
