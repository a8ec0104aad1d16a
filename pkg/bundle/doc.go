// Package bundle saves what doctor read from a cluster in one file that can be shared: redacted, bounded in size, readable
// with tar. [Record] records the requests to a View and their responses, [Recorder.Write] saves them, and [Open] returns
// them as a View that leads to the same report.
package bundle
