// Package notebooks checks what notebooks need besides their namespace: access to Pipelines, and GPU nodes with taints.
package notebooks
