// Package probe requests a page as a browser would, and classifies what came back.
//
// [Do] sends a [Request] once and [Until] repeats it until the [Result] is healthy. To recognise one more kind of page, add a case
// to classify in result.go and a row to its test.
package probe
