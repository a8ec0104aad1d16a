package probe

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// FuzzPage classifies any answer: it takes no time, and neither the query of a redirect nor who signs in there is shown.
func FuzzPage(f *testing.F) {
	f.Add(302, "https://u:secretword@h/dex/auth?state=secretword#secretword", "")
	f.Add(200, "", "<title>Kubeflow Central Dashboard</title>")
	f.Add(502, "", strings.Repeat("<title>", 1000))
	f.Add(403, "", "RBAC: access denied")
	f.Fuzz(func(t *testing.T, status int, location, body string) {
		began := time.Now()
		got := classify(status, http.Header{"Location": {location}}, body)
		if strings.Contains(got.To, "?") || strings.Contains(got.To, "@") && strings.Contains(location, "://") && !strings.Contains(strings.SplitN(location, "://", 2)[1], "/") {
			t.Errorf("%q is shown as %q", location, got.To)
		}
		if got.Healthy() && status >= 500 {
			t.Errorf("%d is healthy", status)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("%d bytes took %s", len(body), took)
		}
	})
}
