// Package references finds what objects refer to and what does not exist. One table (edges.go) says which field refers to which kind;
// to follow one more, add a line there.
package references
