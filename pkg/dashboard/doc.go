// Package dashboard models how Kubeflow's dashboard can be reached, and by whom.
//
// [Read] turns any [cluster.View] (a live cluster, manifests, a saved bundle) into a [Dashboard]: the gateway that serves it,
// the endpoints in front of it, what authenticates requests, and the NetworkPolicies. pkg/expose decides by it what to
// change, and the exposure and auth checks of pkg/doctor/checks report by it, so that both reach one verdict.
// To read only a part, call [FindGateway] and then [Gateway.Authenticate] or [Gateway.ReadNetwork].
//
// Everything that protects the dashboard has to be proven: what cannot be read or is not understood counts as absent,
// with a reason.
package dashboard
