// Package netpolicy decides which traffic a network policy engine would allow.
package netpolicy
