// Package gateway simulates the ingress gateway and its backends: authentication,
// the dashboard, Pipelines. It responds as Istio's gateway would with the current
// VirtualServices, DestinationRules and policies, so a change of the mesh affects
// the next response.
//
// route, tlsMode and signIn are pure functions; handler.go combines them.
package gateway
