// Package images finds container images in manifests and puts others in their place: in the pods of workloads, their
// arguments and environment, in ConfigMaps that hold images, and in custom resources.
//
// Its main type is the [Rule]; [Rewrite] applies rules to an object and [Find] says which images a rule is about.
package images
