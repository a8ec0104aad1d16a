// Package deviceplugin installs and removes NVIDIA's device plugin, which offers the GPUs of nodes to pods. AKS installs the
// driver on GPU nodes and leaves the plugin to the owner of the cluster. Its main type is the Plan.
package deviceplugin
