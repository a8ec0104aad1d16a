// Package dex is a stand-in for dex (github.com/dexidp/dex), as far as Kubeflow uses it.
//
// It reads dex's own configuration file, with the same errors for what dex refuses to start with, and answers as dex does below
// the issuer's path: discovery, keys, the login form of staticPasswords (bcrypt), the page that lists several connectors, the code
// flow with PKCE, refresh tokens, and connectors of type oidc and microsoft, which redirect to their issuer and take its callback.
// Clients, redirect URIs and secrets are checked as dex checks them. It follows server/ and connector/ of v2.45.
//
// Keys and sessions outlive the pod, in a Store, as dex's do in custom resources. Left out: approval, other connectors, the gRPC
// API, rotation of keys.
//
// The main type is Server. The real dex is not built: it takes as long to compile as oauth2-proxy and kubectl together.
package dex
