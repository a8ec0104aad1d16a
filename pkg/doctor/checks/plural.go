package checks

import "strconv"

func itoa(n int) string { return strconv.Itoa(n) }

// some returns a number with its noun: "1 pod", "3 pods".
func some(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return itoa(n) + " " + noun + "s"
}
