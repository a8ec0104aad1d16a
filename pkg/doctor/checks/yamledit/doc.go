// Package yamledit changes single values in YAML text and leaves comments, order and layout as they are.
package yamledit
