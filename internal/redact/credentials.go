package redact

import (
	"regexp"
	"strings"
)

// credential are names of settings whose values are never shown, whatever they look like.
var credential = regexp.MustCompile(`(?i)(pass(word|wd|phrase|code)?$|pass(word|wd)|pwd|secret|token$|tokens$|apikey|api[-_.]?key|access[-_.]?key|account[-_.]?key|private[-_.]?key|signing[-_.]?key|encryption[-_.]?key|master[-_.]?key|shared[-_.]?key|[-_.]key$|credential|(^|[-_.])auth$|authorization|bearer|cookie([-_.]?(secret|value|key))?$|(^|[-_.])sig$|signature|(^|[-_.])pin$|(^|[-_.])pw$|bind[-_.]?(pw|dn)$|hash|connection[-_.]?string|conn[-_.]?str|dsn$|webhook[-_.]?url|otp$|salt$|nonce$|seed$|passphrase|htpasswd|dockerconfig|kubeconfig|jwt$|sas$)`)

// references are names that end as a credential's and hold where one is, how it is used or what it may do.
var references = regexp.MustCompile(`(?i)((secret|token|password|key|credential|cookie|hash|auth)s?[-_.]?(name|names|namespace|ref|refs|path|file|dir|uri|expire|expires|expiry|expiration|refresh|ttl|lifetime|domain|domains|httponly|samesite|secure|enabled|type|version|audience|issuer|header)s?$|fromenv$|secretenv$|automountserviceaccounttoken$|serviceaccounttoken$|expirationseconds|(^|\.)secretname$|enablepassworddb|kubernetes\.io/|app_secure_cookies|federated_token_auth$)`)

// IsCredential reports whether a setting of this name holds a credential.
func IsCredential(name string) bool {
	return credential.MatchString(name) && !references.MatchString(strings.TrimSpace(name))
}
