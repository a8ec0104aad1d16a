// Package archive fetches the sources of an install, archives or single files, into memory: from the
// internet, a mirror, a local path or the cache. It verifies them against their pinned hash.
//
// The main type is [Fetcher]. Unpacking (unpack.go) trusts nothing in an archive; places.go has the paths
// of a URL in a mirror.
package archive
