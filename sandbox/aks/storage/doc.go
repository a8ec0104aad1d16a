// Package storage simulates Azure's CSI drivers: AKS's StorageClasses, and
// PersistentVolumes for PVCs, created once the consuming pod is scheduled.
package storage
