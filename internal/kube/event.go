package kube

// LastSeen returns when an event last came, whichever of the two event APIs it was written with. Times compare as text.
func LastSeen(event map[string]any) string {
	return max(Text(event, "lastTimestamp"), Text(event, "series", "lastObservedTime"), Text(event, "eventTime"), Text(event, "metadata", "creationTimestamp"))
}
