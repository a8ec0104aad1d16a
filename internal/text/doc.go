// Package text has the wording that every part of the program shares: numbers with their nouns, and lists in a sentence.
package text
