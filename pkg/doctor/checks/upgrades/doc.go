// Package upgrades checks what an incomplete upgrade leaves behind.
package upgrades
