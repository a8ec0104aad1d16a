// Package storage checks storage classes, claims and attachments.
package storage
