package redact

import (
	"regexp"
	"strings"
)

var (
	privateKey = regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|$)`)
	// What the API server says of a value that it does not accept: Invalid value: "…".
	quotedValue = regexp.MustCompile(`((?:Invalid|Unsupported|Duplicate) value: )("(?:[^"\\]|\\.)*"|\\"(?:[^"\\]|\\\\\\")*\\"|[^\s"\\]*[{\[][^\n]*[}\]]|[^\s":,]+)`)
	rawBytes    = regexp.MustCompile(`(error found in #[0-9]+ byte of \.\.\.\|).*`)
	userInfo    = regexp.MustCompile(`[^\s/@:"'|]+:[^\s@"'/]+@([A-Za-z0-9\[])`)
	signIn      = regexp.MustCompile(`(?i)\b(bearer|basic|negotiate|apikey)(\s+)([A-Za-z0-9+/=._~-]{6,})`)
	assigned    = regexp.MustCompile(`([A-Za-z][A-Za-z0-9_.-]*)\\?["']?\s*(?:=|:\s?)\s*`)
	assignedTo  = regexp.MustCompile(`^(?:\\?"(?:[^"\\]|\\[^"])*\\?"|'[^']*'|[^\s"'\\,;&|)}\]]+)`)
	hints       = regexp.MustCompile(`(?i)pass|pwd|secret|token|key|credential|auth|bearer|cookie|sig|pin|pw|bind|hash|conn|dsn|webhook|otp|salt|nonce|seed|dockerconfig|kubeconfig|jwt|sas`) // in every name that [IsCredential] knows
	flagValue   = regexp.MustCompile(`(--?)([a-z][a-z0-9-]*)(\s+)([^\s"',;)-][^\s"',;)]*)`)
	token       = regexp.MustCompile(`[A-Za-z0-9_.~+=-]{16,}`)
)

// Message returns a text of others for the screen of whoever may read the cluster: unlike [Text] it leaves words that are not
// known, such as names, and masks what is certainly a credential. That is what is assigned to the name of one, what signs in to an
// address, private keys, tokens by the form that their issuers give them, and values that an error quotes, unless they are
// words or names of images.
func Message(text string) string {
	text = privateKey.ReplaceAllString(text, Masked)
	text = rawBytes.ReplaceAllString(text, "${1}"+Masked)
	text = quotedValue.ReplaceAllStringFunc(text, maskQuoted)
	text = userInfo.ReplaceAllStringFunc(text, func(found string) string {
		if strings.Contains(found, ":sha256:") || strings.HasSuffix(found, "@s") { // image:tag@sha256:…
			return found
		}
		return found[len(found)-1:]
	})
	text = signIn.ReplaceAllStringFunc(text, func(found string) string {
		part := signIn.FindStringSubmatch(found)
		if Known(part[3]) {
			return found
		}
		return part[1] + part[2] + Masked
	})
	text = maskAssigned(text)
	text = flagValue.ReplaceAllStringFunc(text, func(found string) string {
		part := flagValue.FindStringSubmatch(found)
		if !IsCredential(part[2]) || Known(part[4]) {
			return found
		}
		return part[1] + part[2] + part[3] + Masked
	})
	text = token.ReplaceAllStringFunc(text, func(found string) string {
		if issued.MatchString(found) && !Known(found) {
			return Masked
		}
		return found
	})
	return URLs(text)
}

func maskQuoted(found string) string {
	part := quotedValue.FindStringSubmatch(found)
	core := strings.Trim(part[2], `\"`)
	if Word(core) || Image(core) || Name(core) && strings.ContainsAny(core, "-.") {
		return found
	}
	mark := ""
	if quote := strings.IndexByte(part[2], '"'); quote == 0 || quote == 1 && part[2][0] == '\\' {
		mark = part[2][:quote+1]
	}
	return part[1] + mark + Masked + mark
}

// maskAssigned masks what is assigned to the name of a credential. What is assigned to other names may be such an assignment itself:
// msg="login: password=x".
func maskAssigned(text string) string {
	if !hints.MatchString(text) { // most texts name no credential, and are long
		return text
	}
	var out strings.Builder
	done := 0
	for _, at := range assigned.FindAllStringSubmatchIndex(text, -1) {
		if at[0] < done || !IsCredential(text[at[2]:at[3]]) {
			continue
		}
		value := assignedTo.FindString(text[at[1]:])
		core := strings.Trim(value, `\"'`)
		if core == "" || core == Masked || Word(core) || strings.Contains(core, Masked) {
			continue
		}
		start := strings.Index(value, core)
		out.WriteString(text[done:at[1]] + value[:start] + Masked + value[start+len(core):])
		done = at[1] + len(value)
	}
	return out.String() + text[done:]
}
