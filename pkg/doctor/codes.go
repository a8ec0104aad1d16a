package doctor

import (
	_ "embed"
	"strings"
	"sync"
)

// codes.txt gives each check a code that stays the same when its ID changes. Lines are only added: a code that is no longer used keeps its line.
//
//go:embed codes.txt
var codeList string

var codes = sync.OnceValue(func() map[string]string {
	byID := map[string]string{}
	for line := range strings.Lines(codeList) {
		if code, id, found := strings.Cut(strings.TrimSpace(line), " "); found {
			byID[id] = code
		}
	}
	return byID
})

// Code returns the stable code of the check: "KF1001".
func (c *Check) Code() string { return codes()[c.ID] }
