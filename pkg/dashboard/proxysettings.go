package dashboard

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// proxyFamilies begin the settings of oauth2-proxy that are about its provider, its cookies, where it stores sessions, and what it logs.
// None of them lets a request pass without a session.
var proxyFamilies = []string{
	"client_", "provider", "oidc_", "insecure_oidc_", "azure_", "entra_id_", "google_", "github_", "gitlab_", "bitbucket_", "keycloak_",
	"cookie_", "session_", "redis_", "tls_", "logging_", "metrics_", "standard_logging", "auth_logging", "request_logging", "pass_",
}

// proxySettings are its other settings of that kind: addresses, pages and redirects, who of those that signed in may enter, and what
// it tells the gateway about them.
var proxySettings = []string{
	"config", "http_address", "https_address", "scope", "prompt", "approval_prompt", "login_url", "redeem_url", "profile_url", "validate_url",
	"resource", "acr_values", "code_challenge_method", "force_code_challenge_method", "backend_logout_url", "redirect_url",
	"relative_redirect_url", "skip_oidc_discovery", "skip_provider_button", "skip_claims_from_profile_url", "ssl_insecure_skip_verify",
	"ssl_upstream_insecure_skip_verify", "use_system_trust_store", "set_authorization_header", "set_xauthrequest", "set_basic_auth",
	"prefer_email_to_user", "basic_auth_password", "banner", "footer", "custom_sign_in_logo", "custom_templates_dir", "display_htpasswd_form",
	"htpasswd_file", "htpasswd_user_group", "htpasswd_user_groups", "silence_ping_logging", "exclude_logging_path", "exclude_logging_paths",
	"errors_to_info_log", "signature_key", "flush_interval", "encode_state", "proxy_websockets", "show_debug_on_error", "force_https",
	"force_json_errors", "user_id_claim", "whitelist_domain", "whitelist_domains", "email_domain", "email_domains", "allowed_group",
	"allowed_groups", "allowed_role", "allowed_roles", "authenticated_emails_file", "skip_jwt_bearer_tokens", "extra_jwt_issuers",
	"bearer_token_login_fallback", "api_route", "api_routes", "upstream", "upstreams", "upstream_timeout", "reverse_proxy",
	"real_client_ip_header", "skip_auth_strip_headers", "request_id_header",
}

// proxySetting returns why a setting of oauth2-proxy may let anonymous requests pass; "" when it is known not to.
func proxySetting(a authenticator, s setting) string {
	name, values := s.name, strings.Join(s.values, ", ")
	family := slices.ContainsFunc(proxyFamilies, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	switch {
	case name == "":
		return ""
	case name == "proxy_prefix" && values == "/oauth2", name == "ping_path" && values == "/ping", name == "ready_path" && values == "/ready":
		return ""
	case slices.Contains([]string{"skip_auth_preflight", "gcp_healthchecks"}, name) && values == "false":
		return ""
	case slices.Contains([]string{"trusted_ip", "trusted_ips", "ping_user_agent", "skip_auth_regex", "skip_auth_route", "skip_auth_routes"}, name) && values == "" && !s.hidden:
		return ""
	case name == "skip_auth_regex" || name == "skip_auth_route" || name == "skip_auth_routes":
		return a.skips(s)
	case name == "skip_auth_preflight":
		return "lets OPTIONS requests pass without authentication (skip_auth_preflight)"
	case name == "trusted_ip" || name == "trusted_ips":
		return fmt.Sprintf("lets requests from some addresses pass without authentication (%s = %s)", name, values)
	case name == "ping_user_agent" || name == "gcp_healthchecks":
		return fmt.Sprintf("lets requests with the User-Agent of a health check pass without authentication (%s)", name)
	case family || slices.Contains(proxySettings, name):
		return ""
	}
	return fmt.Sprintf("has the setting %s, which is not known to keep authentication", name)
}

// skips returns which requests oauth2-proxy lets pass without authentication, apart from those of signing in.
func (a authenticator) skips(s setting) string {
	for _, route := range slices.Concat(splitAll(s.values)...) {
		if s.hidden || !signInRoute.MatchString(route) {
			return fmt.Sprintf("lets some requests pass without authentication (%s = %s)", s.name, strings.Join(s.values, ", "))
		}
	}
	for _, header := range a.headers {
		if strings.Contains(header, "*") || strings.EqualFold(header, "x-forwarded-uri") {
			return fmt.Sprintf("gets header %s from clients, who can pretend to ask for a path without authentication", header)
		}
	}
	return ""
}

// signInRoute is a regular expression for paths of signing in only: anchored, and without an alternative.
var signInRoute = regexp.MustCompile(`^([A-Z]+=)?\^/(dex|oauth2)/[A-Za-z0-9/_-]*(\.\*)?\$?$`)

func splitAll(values []string) [][]string {
	var all [][]string
	for _, v := range values {
		all = append(all, strings.Split(v, ","))
	}
	return all
}

// authserviceSettings are the variables of authservice that do not let a request pass without a session.
var authserviceSettings = []string{
	"AFTER_LOGIN_URL", "AFTER_LOGOUT_URL", "AUTHSERVICE_URL_PREFIX", "AUTH_METHOD", "CA_BUNDLE", "CLIENT_ID", "CLIENT_NAME", "CLIENT_SECRET",
	"GROUPS_ALLOWLIST", "GROUPS_CLAIM", "GROUPS_HEADER", "HOMEPAGE_URL", "LOG_LEVEL", "OIDC_AUTH_URL", "OIDC_PROVIDER", "OIDC_SCOPES", "PORT",
	"READINESS_PROBE_PORT", "REDIRECT_URL", "SERVER_HOSTNAME", "SERVER_PORT", "SESSION_MAX_AGE", "SESSION_SAMESITE", "SESSION_STORE_PATH",
	"SESSION_STORE_TYPE", "STORE_PATH", "STRICT_SESSION_VALIDATION", "TEMPLATE_PATH", "THEME", "THEMES_URL", "TOKEN_HEADER", "TOKEN_SCHEME",
	"OIDC_STATE_STORE_PATH", "USERID_CLAIM", "USERID_HEADER", "USERID_PREFIX", "USERID_TOKEN_HEADER", "VERIFY_AUTH_URL", "WEB_SERVER_CLIENT_NAME",
}

// authserviceSetting returns why a setting of authservice may let anonymous requests pass; "" when it is known not to.
func authserviceSetting(_ authenticator, s setting) string {
	switch {
	case slices.Contains(authserviceSettings, s.name):
		return ""
	case s.name != "SKIP_AUTH_URI" && s.name != "SKIP_AUTH_URLS" || s.hidden:
		return fmt.Sprintf("has the setting %s, which is not known to keep authentication", s.name)
	}
	for _, prefix := range strings.FieldsFunc(strings.Join(s.values, " "), func(r rune) bool { return r == ' ' || r == ',' }) {
		if prefix = strings.TrimSuffix(prefix, "/"); prefix != "/dex" && prefix != "/authservice" {
			return fmt.Sprintf("lets some requests pass without authentication (%s = %s)", s.name, strings.Join(s.values, " "))
		}
	}
	return ""
}

var (
	assignment = regexp.MustCompile(`^([A-Za-z0-9_-]+)\s*=\s*(.+)$`)
	openList   = regexp.MustCompile(`^[A-Za-z0-9_-]+\s*=\s*\[`)
	quoted     = regexp.MustCompile(`^"([^"\\]*(?:\\.[^"\\]*)*)"$|^'([^']*)'$`)
)

// parseProxyFile parses the configuration of oauth2-proxy: TOML without tables, as it documents it. Anything else is not understood.
func parseProxyFile(text string) (all []setting, ok bool) {
	pending := ""
	for line := range strings.Lines(text) {
		pending = strings.TrimSpace(pending + " " + withoutComment(line))
		if pending == "" || openList.MatchString(pending) && !strings.HasSuffix(pending, "]") {
			continue
		}
		parts := assignment.FindStringSubmatch(pending)
		if parts == nil || strings.Contains(pending, `"""`) || strings.Contains(pending, "'''") {
			return nil, false
		}
		s := setting{name: strings.ToLower(parts[1])}
		list, isList := strings.CutPrefix(parts[2], "[")
		for _, item := range items(strings.TrimSuffix(list, "]"), isList) {
			if m := quoted.FindStringSubmatch(item); m != nil {
				item = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(m[1]) + m[2]
			} else if strings.ContainsAny(item, `"'[]{}`) {
				return nil, false
			}
			s.values = append(s.values, item)
		}
		all, pending = append(all, s), ""
	}
	return all, pending == ""
}

// items splits the content of a list at the commas outside of quotes; what is not a list is one item.
func items(content string, isList bool) []string {
	if !isList {
		return []string{strings.TrimSpace(content)}
	}
	var all []string
	start, quote := 0, byte(0)
	for i := 0; i <= len(content); i++ {
		switch {
		case i == len(content) || content[i] == ',' && quote == 0:
			if item := strings.TrimSpace(content[start:i]); item != "" {
				all = append(all, item)
			}
			start = i + 1
		case quote == 0 && (content[i] == '"' || content[i] == '\''):
			quote = content[i]
		case content[i] == quote && (quote == '\'' || content[i-1] != '\\'):
			quote = 0
		}
	}
	return all
}

// withoutComment returns a line up to a # outside of quotes.
func withoutComment(line string) string {
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		switch {
		case quote == 0 && line[i] == '#':
			return line[:i]
		case quote == 0 && (line[i] == '"' || line[i] == '\''):
			quote = line[i]
		case line[i] == quote && (quote == '\'' || line[i-1] != '\\'):
			quote = 0
		}
	}
	return line
}

// EditProxyFile returns the configuration file of oauth2-proxy with settings changed: to a value as TOML writes it ("false", `"a"`), or removed
// where that is "". The other lines stay as they are. ok is false if the file is written in a way that cannot be edited.
func EditProxyFile(file string, to map[string]string) (edited string, ok bool) {
	want, ok := parseProxyFile(file)
	if !ok {
		return "", false
	}
	var lines, held []string
	pending := ""
	for line := range strings.SplitSeq(file, "\n") {
		held = append(held, line)
		if pending = strings.TrimSpace(pending + " " + withoutComment(line)); openList.MatchString(pending) && !strings.HasSuffix(pending, "]") {
			continue
		}
		name := ""
		if parts := assignment.FindStringSubmatch(pending); parts != nil {
			name = strings.ToLower(parts[1])
		}
		value, wanted := to[name]
		switch {
		case name == "" || !wanted:
			lines = append(lines, held...)
		case value != "":
			lines = append(lines, name+" = "+value)
		}
		pending, held = "", nil
	}
	for _, name := range slices.Sorted(maps.Keys(to)) {
		if to[name] == "" || slices.ContainsFunc(want, func(s setting) bool { return s.name == name }) {
			continue
		}
		at := len(lines)
		if at > 0 && lines[at-1] == "" {
			at--
		}
		lines = slices.Insert(lines, at, name+" = "+to[name])
	}
	edited = strings.Join(lines, "\n")
	return edited, sameSettings(want, to, edited)
}

// sameSettings reports whether an edited file has the settings that it had, with those that were to change as they were to be.
func sameSettings(before []setting, to map[string]string, edited string) bool {
	after, ok := parseProxyFile(edited)
	if !ok {
		return false
	}
	values := func(all []setting) map[string][]string {
		m := map[string][]string{}
		for _, s := range all {
			m[s.name] = append(m[s.name], strings.Join(s.values, "\x00"))
		}
		return m
	}
	want, got := values(before), values(after)
	for name, value := range to {
		delete(want, name)
		if value != "" {
			one, ok := parseProxyFile(name + " = " + value)
			if !ok {
				return false
			}
			want[name] = values(one)[name]
		}
	}
	return maps.EqualFunc(want, got, slices.Equal)
}
