package archive

// MirrorPath is where a mirror keeps a URL's content: the URL's host and path, with slashes. It is false for what is
// no URL.
func MirrorPath(address string) (string, bool) {
	if !IsURL(address) {
		return "", false
	}
	return inMirror(Canonical(address))
}
