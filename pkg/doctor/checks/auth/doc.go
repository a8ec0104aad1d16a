// Package auth checks who authenticates to the dashboard, and that the default password and secrets are not in use.
// [Keep] preserves changed credentials when a release is installed again.
package auth
