// Package apply runs a plan. [Run] records the inventory, applies each object as soon as its gates are open, waits
// until everything is ready, deletes what the plan prunes, and records the result. An interrupted run is completed by the next one.
package apply
