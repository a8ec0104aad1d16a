// Package lock keeps two programs from changing one cluster at the same time, with a Lease. It names the holder, and takes over
// from a holder that stopped renewing or whose process is gone.
package lock
