// Package events holds what an install and an uninstall report to an observer, and its form as JSON ([Record]).
// docs/events.md lists the events.
package events
