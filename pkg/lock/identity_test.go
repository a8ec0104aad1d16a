package lock

import "testing"

func TestAnIdentityIsParsedFromItsText(t *testing.T) {
	own := ownIdentity()
	if parsed := parseIdentity(own.String()); parsed != own {
		t.Errorf("%q is parsed as %+v", own, parsed)
	}
}

func TestOnlyAnEndedLocalProcessIsKnownToBeGone(t *testing.T) {
	own := ownIdentity()
	if own.knowsGone(own.String()) {
		t.Error("this process is reported as gone")
	}
	for _, holder := range []string{"jane", "", "jane@another-machine//1/"} {
		if own.knowsGone(holder) {
			t.Errorf("%q is reported as gone, which cannot be known here", holder)
		}
	}
}
