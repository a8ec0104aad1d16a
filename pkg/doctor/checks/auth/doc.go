// Package auth checks who authenticates to the dashboard, and that the default password and secrets are not in use.
// [Keep] preserves credentials of one's own when a release is installed again.
package auth
