// Package exposure checks how the dashboard can be reached from outside the cluster. The model it reads is package
// dashboard.
package exposure
