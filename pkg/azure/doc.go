// Package azure creates AKS clusters that are fit for Kubeflow, and lists, starts, stops and deletes them. It is the only
// package that imports the Azure SDK.
//
// [Options] become a [Request] by a pure function: the bodies of all requests, which --dry-run prints. [Facts] are what Azure
// says about the subscription and the region, and [Check] decides on them what would stop the creation, before anything is
// created. A [Client] makes the calls, each of which is in [Calls]: the least role of docs/azure-role.json and the table of
// docs/azure.md are derived from that list.
//
// To add a check, copy check_quota.go; to add a call, add it to calls.go.
package azure
