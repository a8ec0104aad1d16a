// Package inventory keeps the record of an installation in the cluster: an [Inventory] is a ConfigMap (or several) that lists
// the objects an install applied. What it does not list is never deleted.
package inventory
