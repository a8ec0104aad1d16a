// Package program reads the Deployment of a program that the sandbox simulates: whether it runs, and how it is configured.
package program
