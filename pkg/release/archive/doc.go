// Package archive gets what an install is made from, an archive or a single file, as content in
// memory: from the internet, a mirror, a local path or the cache, and compared with its pinned hash.
//
// Fetcher is the way in. Unpacking (unpack.go) trusts nothing in an archive; where a URL can be
// found in a mirror is decided in places.go.
package archive
