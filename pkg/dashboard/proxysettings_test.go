package dashboard

import "testing"

func TestTheFileOfOAuth2ProxyIsEdited(t *testing.T) {
	to := map[string]string{"redirect_url": `"https://a/oauth2/callback"`, "login_url": "", "relative_redirect_url": "false", "allowed_groups": `[ "a" ]`}
	for name, c := range map[string]struct{ before, after string }{
		"nothing there": {"", "allowed_groups = [ \"a\" ]\nredirect_url = \"https://a/oauth2/callback\"\nrelative_redirect_url = false\n"},
		"all there": {"# login_url = \"/old\"\nlogin_url = \"/dex/auth\" # of dex\n\nallowed_groups = [\n  # c ]\n  \"x\",\n  \"y\"\n]\nredirect_url=\"/x\"\n  Relative_Redirect_URL = true",
			"# login_url = \"/old\"\n\nallowed_groups = [ \"a\" ]\nredirect_url = \"https://a/oauth2/callback\"\nrelative_redirect_url = false"},
		"a table":           {"[a]\nb = 1", ""},
		"text of two lines": {"banner = \"\"\"\nlogin_url = 1\n\"\"\"", ""},
	} {
		after, ok := EditProxyFile(c.before, to)
		if ok != (c.after != "") || ok && after != c.after {
			t.Errorf("%s: %q, %v; want %q", name, after, ok, c.after)
		}
		if again, _ := EditProxyFile(after, to); ok && again != after {
			t.Errorf("%s: again, %q", name, again)
		}
	}
}
