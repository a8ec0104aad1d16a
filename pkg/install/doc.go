// Package install holds the tests that need all of its packages and a real API server; the code is in the packages below.
//
//	plan       decides what an install does: the objects, their gates, what is recreated and what is deleted
//	preflight  finds what would stop a plan, before anything is changed
//	apply      carries a plan out: applies each object when its gates open, waits, prunes
//	explain    says why an object is not ready
//	inventory  the record, in the cluster, of what an installation consists of
//	lock       the Lease that keeps two programs from changing one cluster at once
//	events     what an install and an uninstall report while they run
//	status     compares the inventory with the cluster
//	uninstall  deletes what the inventory lists, in dependency order
package install
