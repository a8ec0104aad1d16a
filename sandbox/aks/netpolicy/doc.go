// Package netpolicy decides what a network policy engine would let through.
package netpolicy
