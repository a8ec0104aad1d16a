// Package control runs the sandbox's controllers: a Loop reconciles objects one
// key at a time, and retries on errors.
//
// To add a controller, copy package enforcer: a constructor that takes a client
// and an informer factory and returns a Loop.
package control
