package signin

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// A status is shown and shared: what signs in to an address is not in it.
func TestAStatusShowsNoCredentials(t *testing.T) {
	const address = "https://u:hUnter2xPlanted@h/dex?token=hUnter2xPlanted#hUnter2xPlanted"
	s := &Status{
		Authenticators: []Authenticator{{Issuer: address, RedirectURL: address}}, TokenIssuers: []string{address},
		Provider: &Provider{Issuer: address, RedirectURIs: []string{address}},
	}
	s.unread(errors.New("password=hUnter2xPlanted at " + address))
	s.mask()
	shown, err := json.Marshal(s)
	if err != nil || strings.Contains(string(shown), "hUnter2xPlanted") || strings.Count(string(shown), "https://h/dex") != 6 {
		t.Errorf("%s, %v", shown, err)
	}
}
