// Package plan decides what an install does. [New] compares the rendered objects with the cluster and the inventory and
// returns a [Plan]: each object with the gates it waits for, and what is recreated, deleted or kept. It changes nothing.
//
// To add a gate, start from webhook.go: this package finds the gates of an object, and package apply opens them (gates.go).
package plan
