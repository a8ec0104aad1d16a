package release

// Older reports whether version a is older than version b: 1.9.1 than 1.10.2, 1.11.0 than 26.03.
func Older(a, b string) bool { return compareVersions(a, b) < 0 }
