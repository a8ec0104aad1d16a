// Package redact decides which text about a cluster may be read by others, and replaces the rest. It keeps what is known
// to be harmless (words of Kubernetes, numbers, versions, names) instead of searching for what looks like a secret.
//
// [Pair] masks two states of an object for a diff, [Text] a message or a line of a log, [Config] a configuration file
// inside a string, and [URL] an address. To keep another field in diffs, add it to the tables in fields.go.
package redact
