package appdir

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Lock is an application directory's kubeflow.lock: a header line, then one line for each address
// ("source URL h1:…") and each base ("base NAME h1:…"), sorted. Lines that begin with # are comments.
type Lock struct {
	// Sources are the hashes of the archives and files that were used, by address.
	Sources map[string]string
	// Bases are the hashes of the components' bases after the last build, by component.
	Bases map[string]string
}

const (
	lockHead = "kubeflow-lock v1"
	lockNote = "# Written by \"kubectl kubeflow build\"; not to be edited.\n"
)

var hashRule = regexp.MustCompile(`^h1:[A-Za-z0-9+/]{43}=$`)

// ParseLock reads a kubeflow.lock, and rejects what a build would not have written.
func ParseLock(name string, content []byte) (Lock, error) {
	lock := Lock{Sources: map[string]string{}, Bases: map[string]string{}}
	if err := bounded.Size(content, bounded.Config); err != nil {
		return Lock{}, unreadable(name, err)
	}
	head := false
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r") // git may have changed line ends
		var err error
		switch {
		case strings.HasPrefix(line, "#"):
		case !head && line == lockHead:
			head = true
		case !head:
			err = fmt.Errorf("it does not begin with %q", lockHead)
		default:
			err = lock.line(line)
		}
		if err != nil {
			return Lock{}, unreadable(name, fmt.Errorf("line %d: %w", number, err))
		}
	}
	if !head {
		return Lock{}, unreadable(name, fmt.Errorf("it does not begin with %q", lockHead))
	}
	return lock, nil
}

func unreadable(name string, err error) error {
	return &problem.Error{Usage: true, What: name + " cannot be read", Err: err,
		Next: "Get it back from version control, or remove it and run: kubectl kubeflow build --dir DIR"}
}

func (l Lock) line(line string) error {
	fields := strings.Split(line, " ")
	if len(fields) != 3 {
		return fmt.Errorf("it is not three words")
	}
	into := map[string]map[string]string{"source": l.Sources, "base": l.Bases}[fields[0]]
	name, err := unescape(fields[1])
	switch {
	case into == nil:
		return fmt.Errorf("it begins with %.100q, not with source or base", fields[0])
	case err != nil || name == "":
		return fmt.Errorf("%.100q cannot be read", fields[1])
	case fields[0] == "base" && !componentRule.MatchString(name):
		return fmt.Errorf("%.100q is no component's name", name)
	case !hashRule.MatchString(fields[2]):
		return fmt.Errorf("%.100q is no hash", fields[2])
	case into[name] != "":
		return fmt.Errorf("%.100s is there twice", name)
	}
	into[name] = fields[2]
	return nil
}

// encode returns the file's content, which is deterministic.
func (l Lock) encode() []byte {
	out := lockNote + lockHead + "\n"
	for _, kind := range []struct {
		name string
		of   map[string]string
	}{{"source", l.Sources}, {"base", l.Bases}} {
		for _, name := range slices.Sorted(maps.Keys(kind.of)) {
			out += kind.name + " " + percentEncoded(name) + " " + kind.of[name] + "\n"
		}
	}
	return []byte(out)
}

// percentEncoded makes an address one word: '%', spaces and unprintable characters are written as %XX.
func percentEncoded(name string) string {
	var out strings.Builder
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c == '%' || c == 0x7f {
			fmt.Fprintf(&out, "%%%02X", c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

func unescape(word string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(word); i++ {
		c := word[i]
		if c == '%' {
			var decoded byte
			if i+2 >= len(word) {
				return "", fmt.Errorf("it is truncated")
			}
			if _, err := fmt.Sscanf(word[i+1:i+3], "%02X", &decoded); err != nil {
				return "", err
			}
			c, i = decoded, i+2
		}
		out.WriteByte(c)
	}
	if percentEncoded(out.String()) != word {
		return "", fmt.Errorf("it is not written as a build writes it")
	}
	return out.String(), nil
}
