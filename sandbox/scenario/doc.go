// Package scenario has the states that a sandbox can start from.
//
// The main type is Scenario: how AKS behaves, and the objects in the cluster. To add one, copy a file of scenarios/: its first document is the
// Scenario itself, the others are the objects, in the order they are applied.
package scenario
