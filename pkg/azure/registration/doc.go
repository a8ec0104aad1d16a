// Package registration makes the app registration of a cluster in Microsoft Entra ID. [Look] reads what there is, [Decide] is a pure function
// that returns the [Step]s to what is [Wanted], and [Apply] makes them. Each step is an upsert by a name that the cluster determines, so that
// a run that was interrupted, or whose answers were lost, is completed by the next one: there is one app registration, and one client secret
// that the cluster has. Nothing here deletes an app registration.
package registration
