package expose

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRangesAreParsedAndNormalized(t *testing.T) {
	got, err := ParseRanges([]string{"203.0.113.7", " 198.51.100.9/24", "", "2001:db8::1", "2001:db8::1/32"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"203.0.113.7/32", "198.51.100.0/24", "2001:db8::1/128", "2001:db8::/32"}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"office", "10.0.0.0/33", "10.0.0", "10.0.0.0/8/8", "fe80::1%eth0", "10.0.0.0-10.0.0.9"} {
		if got, err := ParseRanges([]string{bad}); err == nil {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
}
