package archive

// MirrorPath is where a mirror keeps a URL's content: the URL's host and path, with slashes. It returns false for
// text that is not a URL.
func MirrorPath(address string) (string, bool) {
	if !IsURL(address) {
		return "", false
	}
	return inMirror(Canonical(address))
}
