// Package webhooks determines which webhooks apply to a namespace, and whether they can be reached. Checks of several areas
// read it.
package webhooks
