// Package process runs real programs behind the pods of the sandbox: no container runs here, but a program that was built or is
// installed can listen on a loopback port, and its pod's connections end there.
//
// The main type is Servers. It starts the process of a pod when the pod's container runs, and ends it with the pod, so a changed
// configuration is read when the pod is replaced, as in a cluster. A program is described by a Program; package notebooks and
// package signin have one each.
//
// A Program that is Probed decides how its pod fares: Servers.Rule makes the kubelet report the container as not ready until the
// process listens, and as crashed, with the last lines of its log, when it exits.
package process
