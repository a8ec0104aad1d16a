// Package ui draws results. Only cmd and internal/cli import it, and nothing else prints.
//
// A [Screen] knows the terminal (or pipe) and draws on it; each kind of result has a file of its own.
// Width, colour and time are parameters, so that every drawing can be tested.
package ui
