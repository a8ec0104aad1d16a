package kube

import (
	"fmt"
	"regexp"
	"strings"
)

// longestCause is how much of a server's message a line has room for, in runes.
const longestCause = 200

var (
	// controllers write their own words and the pod's generated name before the cause
	podPrefix = regexp.MustCompile(`^(?:\(combined from similar events\): )?(?i:error creating: |create Pod \S+ in StatefulSet \S+ failed(?: error)?: )?(?:(?i:pods?) "[^"]*" is (forbidden|invalid): )?`)
	// the start of each further entry of a list of invalid fields
	nextField = regexp.MustCompile(`, [\w.\[\]"/-]+: (?:Invalid value|Required value|Forbidden|Duplicate value|Unsupported value|Not found|Too long|Too many|Too few|Internal error)`)
)

// Cause shortens a server's message to its first cause and one line: of a list of invalid fields, or of violations of a Pod
// Security level, the first one with the number of the others. The generated name of a pod is left out, so that a
// message is the same each time a controller tries again.
func Cause(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	if m := podPrefix.FindStringSubmatch(message); m != nil {
		message = message[len(m[0]):]
		if m[1] != "" {
			message = "the pod is " + m[1] + ": " + message
		}
	}
	first, others := firstField(message)
	if others == 0 && strings.Contains(message, "violates PodSecurity ") {
		first, others = firstViolation(message)
	}
	more := ""
	if others > 0 {
		more = fmt.Sprintf(" (and %d more)", others)
	}
	return shorten(first, longestCause-len(more)) + more
}

// firstField returns a message up to the second entry of a list of invalid fields, and how many entries are left out.
func firstField(message string) (string, int) {
	before, list, found := strings.Cut(message, "is invalid: [")
	if !found || !strings.HasSuffix(list, "]") {
		return message, 0
	}
	list = strings.TrimSuffix(list, "]")
	if next := nextField.FindAllStringIndex(list, -1); len(next) > 0 {
		return before + "is invalid: " + list[:next[0][0]], len(next)
	}
	return before + "is invalid: " + list, 0
}

// firstViolation does the same for "violates PodSecurity LEVEL: a (...), b (...)".
func firstViolation(message string) (string, int) {
	first, others, found := strings.Cut(message, "), ")
	if !found {
		return message, 0
	}
	return first + ")", strings.Count(others, "), ") + 1
}

// shorten cuts a long text in its middle: it begins with what is rejected and ends with why, and a value is between them.
func shorten(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	tail := most / 3
	return string(runes[:most-tail-3]) + "..." + string(runes[len(runes)-tail:])
}

// comesRight are causes for which a rejected pod is created later without a change: what it refers to is still being created.
var comesRight = regexp.MustCompile(`not found|was found|status unknown for quota|being terminated|not yet ready to handle|is being deleted`)

// RejectsForGood reports whether the server answers a controller that creates pods with a rejection that trying again
// does not change: a quota, a limit, a Pod Security level, a policy, a webhook's denial, or an invalid pod.
func RejectsForGood(message string) bool {
	if comesRight.MatchString(message) {
		return false
	}
	for _, sign := range []string{" is forbidden: ", " is invalid: ", " denied the request", " denied request", "exceeded quota", "failed quota"} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}
