// Package platform checks the cluster itself: Kubernetes version, admission, policies, webhooks, and who owns what.
package platform
