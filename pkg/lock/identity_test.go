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

// FuzzIdentity reads what another program wrote as the holder of a Lease.
func FuzzIdentity(f *testing.F) {
	f.Add("jane@laptop/ns/1/nonce")
	f.Add("@////")
	f.Add(ownIdentity().String())
	f.Fuzz(func(t *testing.T, holder string) {
		own := ownIdentity()
		if parseIdentity(holder).who() == "" {
			t.Errorf("%q is nobody", holder)
		}
		if own.is(holder) && own.knowsGone(holder) {
			t.Errorf("%q is this process, and has ended", holder)
		}
	})
}
