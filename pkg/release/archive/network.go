package archive

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
)

// A NotFoundError is returned when content is at none of its possible addresses.
type NotFoundError struct {
	URL, Mirror string
	Tried       []string
}

// Error returns a message with the addresses.
func (e *NotFoundError) Error() string {
	if e.Mirror == "" {
		return fmt.Sprintf("there is nothing at %s", redact.URL(e.URL))
	}
	if len(e.Tried) == 0 {
		return fmt.Sprintf("the mirror %s is not a folder", redact.URL(e.Mirror))
	}
	others := ""
	if n := len(e.Tried) - 1; n > 0 {
		others = fmt.Sprintf(", and for %d other names that it may have", n)
	}
	return fmt.Sprintf("the mirror %s does not hold %s (looked for %s%s)", redact.URL(e.Mirror), redact.URL(e.URL), redact.URL(e.Tried[0]), others)
}

// overNetwork downloads content, unless a copy with the expected hash is cached.
func (f *Fetcher) overNetwork(ctx context.Context, r Request) (*Fetched, error) {
	if kept, ok := f.kept(r); ok {
		return kept, nil
	}
	return f.download(ctx, r)
}

func (f *Fetcher) download(ctx context.Context, r Request) (*Fetched, error) {
	tried := []string{}
	for _, address := range f.remoteAddresses(r) {
		f.say("fetching %s", redact.URL(address))
		content, err := f.get(ctx, address)
		if errors.Is(err, errNotThere) {
			tried = append(tried, address)
			continue
		}
		if err != nil {
			return nil, err
		}
		got, err := f.accept(content, r)
		if err == nil {
			f.keep(got.Hash, content)
		}
		return got, err
	}
	return nil, &NotFoundError{URL: r.URL, Mirror: f.Mirror, Tried: tried}
}

// remoteAddresses returns the URL itself or, with a mirror, its addresses there. Other spellings are not
// tried on the internet: the URL is correct there, and a moving branch would have other content.
func (f *Fetcher) remoteAddresses(r Request) []string {
	if f.Mirror == "" {
		return []string{r.URL}
	}
	var out []string
	for _, address := range addresses(r) {
		if place, ok := inMirror(address); ok {
			out = append(out, strings.TrimSuffix(f.Mirror, "/")+"/"+place)
		}
	}
	return out
}
