package version

import (
	"cmp"
	"strconv"
	"strings"
)

// Compare orders 1.9.1 before 1.10.2 before 26.03; a name that is not a version sorts first.
func Compare(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		if c := cmp.Compare(number(as, i), number(bs, i)); c != 0 {
			return c
		}
	}
	return 0
}

func number(parts []string, i int) int {
	if i >= len(parts) {
		return -1
	}
	n, err := strconv.Atoi(parts[i])
	if err != nil {
		return -1
	}
	return n
}

// Older reports whether version a is older than version b: 1.9.1 than 1.10.2, 1.11.0 than 26.03.
func Older(a, b string) bool { return Compare(a, b) < 0 }
