package redact

import (
	"net/netip"
	"regexp"
	"strings"
)

// A Form is a shape of values, by which a value is known to be harmless where it stands.
type Form func(value string) bool

var (
	duration  = regexp.MustCompile(`^([0-9]{1,5}(\.[0-9]{1,3})?(ns|us|ms|s|m|h|d))+$`)
	quantity  = regexp.MustCompile(`^[0-9]{1,6}(\.[0-9]{1,3})?(m|k|K|M|G|T|Ki|Mi|Gi|Ti)?$`)
	version   = regexp.MustCompile(`^v?[0-9]{1,4}(\.[0-9]{1,4}){1,3}([-+](alpha|beta|rc|gke|aks|asm|eksbuild|debian|ubuntu|alpine)?[.-]?[0-9]{0,4})?$`)
	percent   = regexp.MustCompile(`^[0-9]{1,3}%$`)
	timestamp = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]?[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$`)
	clock     = regexp.MustCompile(`^[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]{1,9})?Z?$`)
	dnsName   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$`)
	rbacName  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.:_/*-]{0,120}[A-Za-z0-9*])?$`)
	imageName = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$`)
	filePath  = regexp.MustCompile(`^/?[A-Za-z0-9._*-]*(/[A-Za-z0-9._*-]*)*$`)
)

// switches are values of settings that say nothing about anybody.
var switches = setOf("true", "false", "yes", "no", "on", "off", "null", "nil", "none", "~", "enabled", "disabled", "enable", "disable",
	"debug", "info", "warn", "warning", "error", "fatal", "trace", "default", "auto", "always", "never", "ifnotpresent", "any", "all",
	"http", "https", "http2", "grpc", "tcp", "udp", "tls", "strict", "permissive", "simple", "mutual", "istio_mutual", "json", "yaml", "text", "console",
	"baseline", "restricted", "privileged", "fail", "ignore", "equal", "exists", "in", "notin", "doesnotexist", "noschedule", "noexecute",
	"docker", "pns", "emissary", "kubelet", "k8sapi", "linux", "windows", "amd64", "arm64", "lax", "oidc", "readwriteonce", "readwritemany", "readonlymany")

func setOf(list ...string) map[string]bool {
	set := map[string]bool{}
	for _, s := range list {
		set[s] = true
	}
	return set
}

// Plain is the form of values that are harmless under every name but that of a credential: switches, small numbers, durations,
// quantities, versions, times, IP addresses.
func Plain(v string) bool {
	if v == "" || switches[strings.ToLower(v)] || v == "*" || v == "/" {
		return true
	}
	if numberOnly.MatchString(v) {
		return len(v) <= maxNumber
	}
	if first, rest, list := strings.Cut(v, ","); list {
		return Plain(strings.TrimSpace(first)) && Plain(strings.TrimSpace(rest))
	}
	return duration.MatchString(v) || quantity.MatchString(v) || version.MatchString(v) || percent.MatchString(v) || timestamp.MatchString(v) || clock.MatchString(v) || isIP(v)
}

func isIP(v string) bool {
	if _, err := netip.ParsePrefix(v); err == nil {
		return true
	}
	if _, err := netip.ParseAddr(v); err == nil {
		return true
	}
	at, err := netip.ParseAddrPort(v)
	return err == nil && at.IsValid()
}

// Word is the form of values that consist of known words.
func Word(v string) bool { return Plain(v) || Known(v) }

// Name is the form of the names of Kubernetes objects, which identify what a report is about.
func Name(v string) bool { return Word(v) || len(v) <= 253 && dnsName.MatchString(v) && !random(v) }

// Identifier is the form of names in RBAC and of keys, with capitals, slashes and colons.
func Identifier(v string) bool { return Name(v) || rbacName.MatchString(v) && !random(v) }

var kindName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{1,62}$`)

// Kind is the form of the names of kinds, which those who define them choose.
func Kind(v string) bool {
	if Known(v) {
		return true
	}
	long := 0
	for _, part := range splitCamel(digit.ReplaceAllString(v, "")) {
		if len(part) > 3 && vowel.MatchString(part) || words()[strings.ToLower(part)] {
			long += len(part)
		}
	}
	return kindName.MatchString(v) && !issued.MatchString(v) && long*5 > len(v)*4
}

var apiVersion = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?v[0-9]{1,2}((alpha|beta)[0-9]{1,2})?$`)

// Version is the form of the versions of an API, with its group.
func Version(v string) bool { return apiVersion.MatchString(v) && !random(v) }

// FieldName is the form of the names of fields that are not of Kubernetes.
func FieldName(v string) bool { return Known(v) || len(v) <= 12 && lowerOnly.MatchString(v) }

var lowerOnly = regexp.MustCompile(`^[a-z]+[0-9]{0,2}$`)

// Image is the form of references to container images.
func Image(v string) bool {
	name, _, _ := strings.Cut(v, "@")
	return (Known(v) || strings.ContainsAny(v, ":/")) && len(v) <= 255 && imageName.MatchString(v) && !random(name)
}

// Host is the form of host names and of host:port, with a leading wildcard.
func Host(v string) bool {
	host, port, _ := strings.Cut(strings.TrimPrefix(v, "*."), ":")
	return v == "*" || (Known(host) || strings.Contains(host, ".")) && Name(strings.ToLower(host)) && (port == "" || numberOnly.MatchString(port) && len(port) <= maxNumber)
}

// Path is the form of file and URL paths.
func Path(v string) bool {
	if !filePath.MatchString(v) {
		return false
	}
	for part := range strings.SplitSeq(v, "/") {
		if random(part) {
			return false
		}
	}
	return true
}

// Address is the form of URLs without credentials: no user, no query, and a path of known words.
func Address(v string) bool {
	scheme, rest, ok := strings.Cut(v, "://")
	if !ok || !Known(scheme) {
		return Host(v)
	}
	host, path, _ := strings.Cut(rest, "/")
	return Host(host) && Word(path)
}

// longestAbbreviation is the most letters without a vowel in a name; the hashes in names of pods have ten.
const longestAbbreviation = 12

const maxRun = 20 // letters and digits without a separator, in a name that a person gives

var (
	issued = regexp.MustCompile(`(?i)^(AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|sk-|sk_|pk_live|rk_live|AIza|ya29\.|eyJ|hvs\.|npm_|pypi-|dop_v1|SG\.|shp|key-|AGE-SECRET)`)
	runs   = regexp.MustCompile(`[A-Za-z0-9]+`)
	digit  = regexp.MustCompile(`[0-9]`)
	letter = regexp.MustCompile(`[A-Za-z]`)
	vowel  = regexp.MustCompile(`(?i)[aeiou]`)
)

// random reports whether a name looks generated: no person gives such names, and tokens have them.
func random(name string) bool {
	if issued.MatchString(name) {
		return true
	}
	for _, run := range runs.FindAllString(name, -1) {
		if len(run) >= maxRun && len(digit.FindAllString(run, -1)) > 3 && letter.MatchString(run) {
			return true
		}
		if len(run) > 8 && strings.ToLower(run) != run && strings.ToUpper(run) != run && !Known(run) && scrambled(run) {
			return true
		}
		if letters := digit.ReplaceAllString(run, ""); !vowel.MatchString(letters) &&
			(len(letters) > longestAbbreviation || len(run) > 8 && letters != run && strings.ToLower(run) != run) {
			return true // capitals and digits are in no hash that names a pod
		}
		if numberOnly.MatchString(run) && len(run) > maxDigits {
			return true
		}
	}
	return false
}

// scrambled reports whether capitals stand where no word begins: a name such as "paddleJob" has them at words of some length.
func scrambled(run string) bool {
	if digit.MatchString(run) {
		return true
	}
	for _, part := range splitCamel(run) {
		if known := words()[strings.ToLower(part)]; !known && (len(part) < 3 || !vowel.MatchString(part)) {
			return true
		}
	}
	return false
}
