package redact

import (
	"net/url"
	"regexp"
	"strings"
)

// harmlessQuery are the parameters of URLs that say what to fetch, not who may.
var harmlessQuery = setOf("ref", "version", "timeout", "submodules", "depth", "archive", "raw", "path", "limit", "watch", "timeoutseconds", "fieldmanager", "dryrun", "force", "resourceversion", "allowwatchbookmarks", "fieldselector", "labelselector", "fieldvalidation")

// URL returns an address without what signs in: no user, no password, and no parameter of the query that could be a key. What is
// no URL, such as a path, stays as it is.
func URL(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return scpUser.ReplaceAllString(withoutQuery(address), "")
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, tail := rest[:end], rest[end:]
	if at := strings.LastIndex(host, "@"); at >= 0 {
		host = host[at+1:]
	} else if at := strings.LastIndex(tail, "@"); at >= 0 && strings.Contains(host, ":") && !portOnly.MatchString(host) { // a password with a slash
		if slash := strings.Index(tail[at:], "/"); slash >= 0 {
			host, tail = tail[at+1:at+slash], tail[at+slash:]
		} else {
			host, tail = tail[at+1:], ""
		}
	}
	return scheme + "://" + host + withoutQuery(tail)
}

// Stored returns an address as files keep it: as [URL] shows it, and what signs in is seen to be left out.
func Stored(address string) string {
	clean := URL(address)
	scheme, rest, ok := strings.Cut(clean, "://")
	if clean == address || !ok || LeftOut(clean) {
		return clean
	}
	return scheme + "://" + Masked + "@" + rest
}

// LeftOut reports whether an address that [Stored] returned lacks what signs in.
func LeftOut(address string) bool {
	return strings.Contains(address, "://") && strings.Contains(address, Masked)
}

var (
	portOnly = regexp.MustCompile(`^[^:]*:[0-9]*$|^\[[0-9a-fA-F:.%]+\](:[0-9]*)?$`)
	scpUser  = regexp.MustCompile(`^[^/@\s:]+:[^/@\s]*@`)
)

// withoutQuery hides the values of a query's parameters that are not known.
func withoutQuery(tail string) string {
	tail, fragment, hasFragment := strings.Cut(tail, "#")
	path, query, ok := strings.Cut(tail, "?")
	if ok {
		parts := strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' })
		for i, part := range parts {
			name, _, assigned := strings.Cut(part, "=")
			plain, err := url.QueryUnescape(name)
			switch {
			case err == nil && harmlessQuery[strings.ToLower(plain)]:
			case assigned && err == nil && Known(plain):
				parts[i] = name + "=" + Masked
			default:
				parts[i] = Masked
			}
		}
		path += "?" + strings.Join(parts, "&")
	}
	if hasFragment && fragment != "" {
		path += "#" + Masked
	}
	return path
}

var inText = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>` + "`" + `]+`)

// URLs returns a text in which every URL is as [URL] shows it.
func URLs(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	return inText.ReplaceAllStringFunc(text, func(found string) string {
		core := strings.TrimRight(found, ".,;:!?)]}")
		return URL(core) + found[len(core):]
	})
}
