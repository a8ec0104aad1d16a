// Package training checks the training operators.
package training
