package archive

import "io"

// Limits bound the content of an archive, so that a malicious or broken one cannot exhaust memory.
type Limits struct {
	Download int64 // bytes, as downloaded
	Total    int64 // bytes, unpacked
	File     int64 // bytes of one file
	Entries  int
	Ratio    int64 // unpacked bytes per downloaded byte, beyond the first 16 MiB
}

// DefaultLimits are far above Kubeflow's largest release, which has 7,500 files in 60 MB, a tenth of
// that packed.
var DefaultLimits = Limits{Download: 256 << 20, Total: 768 << 20, File: 128 << 20, Entries: 100_000, Ratio: 200}

// most returns how many bytes an archive of this size may unpack to.
func (l Limits) most(packed int) int64 {
	if l.Ratio == 0 {
		return l.Total
	}
	return min(l.Total, 16<<20+l.Ratio*int64(packed))
}

// headers limits the bytes of an archive that are not file content.
func (l Limits) headers() int64 { return 1<<20 + 4096*int64(l.Entries) }

// measured limits what a small archive can unpack to. A tar file may contain more than its files.
type measured struct {
	io.Reader
	left int64
}

func (b *measured) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooMuch
	}
	return n, err
}

var errTooMuch = bad("the archive unpacks to far more than its size promises")
