// Package signin runs the real oauth2-proxy, and the stand-in for dex, behind their pods.
//
// Each is started as its container would be, with the container's arguments and environment and the files of its ConfigMaps and
// Secrets, by package process. What differs for oauth2-proxy: it listens on a loopback port, paths of mounted files lead to copies,
// and its requests go through the sandbox's network (package egress), where names of Services resolve.
//
// A pod of either is simulated by package gateway if its container names no configuration file: tests have such pods. Everything
// else is decided by the programs: a wrong cookie secret ends oauth2-proxy, whose pod then crashes, and so does dex when the
// issuer of a connector does not answer.
package signin
