// Package status compares what the inventory lists with what the cluster has. It changes nothing.
package status
