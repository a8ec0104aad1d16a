package checks

import (
	"math"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// trimZero writes a number with at most one digit behind the point: "2.5", "8".
func trimZero(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }

// commaSeparated returns the parts of a list in one string, without the blanks around them.
func commaSeparated(list string) []string {
	var parts []string
	for part := range strings.SplitSeq(list, ",") {
		parts = append(parts, strings.TrimSpace(part))
	}
	return parts
}
