package archive

import "io"

// Limits bound what an archive may hold, so that a hostile or broken one cannot fill the memory.
type Limits struct {
	Download int64 // bytes, as they come
	Total    int64 // bytes, unpacked
	File     int64 // bytes of one file
	Entries  int
	Ratio    int64 // unpacked bytes for each that came, beyond the first 16 MiB
}

// DefaultLimits leave ample room: Kubeflow's largest release has 7,500 files in
// 60 MB, a tenth of that packed.
var DefaultLimits = Limits{Download: 256 << 20, Total: 768 << 20, File: 128 << 20, Entries: 100_000, Ratio: 200}

// most is how many bytes an archive of this size may unpack to.
func (l Limits) most(packed int) int64 {
	if l.Ratio == 0 {
		return l.Total
	}
	return min(l.Total, 16<<20+l.Ratio*int64(packed))
}

// headers is how long everything in an archive may be that is no file's content.
func (l Limits) headers() int64 { return 1<<20 + 4096*int64(l.Entries) }

// bounded ends what a small archive unpacks to without end. A tar file may hold more than its files.
type bounded struct {
	io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooMuch
	}
	return n, err
}

var errTooMuch = bad("the archive unpacks to far more than its size promises")
