// Package record keeps what expose changed on objects of other owners, on the objects themselves.
//
// A [Record] is an annotation that names each change, so that [Revert] can undo exactly that, whatever else has changed on the
// object since, and [Preserve] can repeat it on a newly rendered object. To record one more kind of change, copy paths.go, add a
// field to [Record], and apply it in Revert and Preserve.
package record
