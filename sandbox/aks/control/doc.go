// Package control runs the sandbox's controllers: a Loop keeps one kind of
// thing as it should be, one key at a time, and tries again when it cannot.
//
// To add a controller, copy package enforcer: a constructor that takes a client
// and an informer factory and returns a Loop.
package control
