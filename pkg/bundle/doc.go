// Package bundle keeps what doctor read from a cluster in one file that can be sent to somebody else: redacted, bounded in
// size, readable with tar. [Record] listens to a look at a cluster, [Recorder.Write] saves what it heard, and [Open] gives
// it back as a View from which the same report comes out.
package bundle
