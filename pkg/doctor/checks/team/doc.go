// Package team contains the checks of doctor -n NAMESPACE: what a user of one namespace can see of what is stuck there, and why.
package team
