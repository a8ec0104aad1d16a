// Package storage plays Azure's storage drivers: AKS's StorageClasses, and
// volumes for claims, made once a pod that wants one has been placed.
package storage
