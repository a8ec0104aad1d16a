// Package images finds and replaces container images in manifests: in the pods of workloads, their arguments and
// environment, in ConfigMaps that contain images, and in custom resources.
//
// Its main type is the [Rule]; [Rewrite] applies rules to an object and [Find] returns the images that rules match.
package images
