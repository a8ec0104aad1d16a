// Package gateway plays the ingress gateway and what is behind it: the sign-in,
// the dashboard, the pipelines. It answers as Istio's gateway would with the
// VirtualServices, DestinationRules and policies that are on the cluster at that
// moment, so breaking or mending the mesh changes the very next answer.
//
// route, tlsMode and signIn are the pure parts; handler.go joins them.
package gateway
