package checks

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
)

// A planter makes secrets that occur nowhere else, and finds them again.
type planter struct {
	random  *rand.Rand
	planted []plantedSecret
}

type plantedSecret struct{ core, shape, place string }

func newPlanter() *planter { return &planter{random: rand.New(rand.NewPCG(7, 11))} }

const (
	mixed  = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
	lower  = "bcdfghjkmnpqrstvwxyz"
	upper  = "BCDFGHJKMNPQRSTVWXYZ"
	digits = "0123456789"
	hexes  = "0123456789abcdef"
	other  = "äöüßéñçжшщюя漢字仮名"
)

func (p *planter) core(alphabet string) string {
	letters := []rune(alphabet)
	out := make([]rune, 16)
	for i := range out {
		out[i] = letters[p.random.IntN(len(letters))]
	}
	return string(out)
}

// A shape is how a secret is written down. Its core is of the alphabet.
type shape struct {
	name, alphabet string
	write          func(core string) string
}

func as(format string) func(string) string {
	return func(core string) string { return strings.ReplaceAll(format, "%s", core) }
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// shapes are the ways to write a secret: bare, in tokens, in addresses, in files, in arguments, encoded.
var shapes = []shape{
	{"bare", mixed, as("%s")}, {"lower case", lower, as("%s")}, {"upper case", upper, as("%s")}, {"digits", digits, as("%s")}, {"hex", hexes, as("%s%s")}, {"not ASCII", other, as("%s")},
	{"bearer", mixed, as("Bearer %s")}, {"authorization header", mixed, as("Authorization: Bearer %s")}, {"basic header", mixed, func(c string) string { return "Authorization: Basic " + b64("admin:"+c) }},
	{"JWT", mixed, func(c string) string {
		return "eyJhbGciOiJIUzI1NiJ9." + strings.TrimRight(b64(`{"sub":"`+c+`"}`), "=") + "." + c
	}},
	{"URL user", mixed, as("https://admin:%s@db.example.com:5432/x")}, {"URL token user", mixed, as("https://%s@github.com/o/r")}, {"URL query", mixed, as("https://h.example.com/x?token=%s")},
	{"SAS", mixed, as("https://a.blob.core.windows.net/c?sv=2024-01-01&sig=%s%3D")}, {"S3 signature", hexes, as("https://b.s3.amazonaws.com/k?X-Amz-Signature=%s")}, {"webhook URL", mixed, as("https://hooks.slack.com/services/T00/B00/%s")},
	{"AWS key", upper, as("AKIA%s")}, {"AWS secret", mixed, as("aws_secret_access_key = %s")}, {"Azure key", mixed, as("AccountKey=%s==;EndpointSuffix=core.windows.net")}, {"GCP key", mixed, as(`{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"}`)},
	{"GitHub token", mixed, as("ghp_%s")}, {"connection string", mixed, as("Server=db;User Id=sa;Password=%s;Encrypt=true")}, {"DSN", mixed, as("root:%s@tcp(mysql:3306)/db")},
	{"PEM key", mixed, as("-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----\n")}, {"PEM certificate", mixed, as("-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n")}, {"bcrypt", mixed, as("$2y$04$%s%s%s.....")},
	{"base64", mixed, b64}, {"base64 of JSON", mixed, func(c string) string { return b64(`{"auths":{"r":{"auth":"` + b64("u:"+c) + `"}}}`) }}, {"base64 twice", mixed, func(c string) string { return b64(b64(c)) }}, {"hex encoded", mixed, func(c string) string { return hex.EncodeToString([]byte(c)) }}, {"URL encoded", other, url.QueryEscape},
	{"YAML", mixed, as("a: true\nclientSecret: %s\n")}, {"YAML quoted", mixed, as("cookie_secret: \"%s\"\nport: 80\n")}, {"YAML flow", mixed, as("{client: {id: x, secret: %s}, mode: strict}")}, {"YAML list", mixed, as("keys:\n- %s\n- '%s'\n")}, {"YAML block", mixed, as("tls.key: |\n  %s\nport: 80\n")}, {"YAML folded", mixed, as("notes: >-\n  see\n  %s\n")},
	{"YAML comment", mixed, as("port: 80 # was %s\n")}, {"YAML key", mixed, as("%s: true\n")}, {"YAML anchor", mixed, as("a: &x %s\nb: *x\n")}, {"INI", mixed, as("[db]\npassword = %s\n")}, {"TOML", mixed, as("client_secret = \"%s\"\n")}, {"properties", mixed, as("spring.datasource.password=%s\n")}, {"JSON", mixed, as(`{"client_secret":"%s"}`)}, {"JSON list", mixed, as(`["--x","%s"]`)}, {"JSON in JSON", mixed, as(`{"a":"{\"b\":\"%s\"}"}`)},
	{"JSON key", mixed, as(`{"%s":1}`)}, {"neighbour", mixed, as("{hash: x, %s: y, note: %s}")}, {"env file", mixed, as("export DB_PASSWORD=%s\n")}, {"flag with =", mixed, as("--client-secret=%s")}, {"unknown flag", mixed, as("--%s")}, {"flag and value", mixed, as("--db-password %s --verbose")}, {"curl", mixed, as("curl -u admin:%s -H 'X-Api-Key: %s' http://x")},
	{"split over lines", mixed, func(c string) string { return c[:8] + "\n" + c[8:] }}, {"with spaces", mixed, as("  %s  ")}, {"in a sentence", mixed, as("login with %s failed: timed out")}, {"in quotes", mixed, as(`user "%s" does not exist`)}, {"script", mixed, as("#!/bin/sh\nPW=%s\necho \"$PW\" | login\n")}, {"Lua", mixed, as("function f(h)\n  h:headers():add(\"x-token\", \"%s\")\nend\n")}, {"LDAP", mixed, as("bindDN: cn=admin,dc=x\nbindPW: %s\n")}, {"htpasswd", mixed, as("admin:$apr1$%s$%s")}, {"XML", mixed, as("<password>%s</password>")}, {"SSH", mixed, as("ssh-rsa AAAA%s me@x")}, {"escaped", mixed, as("a\\n%s\\tb")}, {"data URL", mixed, func(c string) string { return "data:text/plain;base64," + b64(c) }},
}

// plant returns a secret in a shape, and remembers where it went.
func (p *planter) plant(s shape, place string) string {
	core := p.core(s.alphabet)
	p.planted = append(p.planted, plantedSecret{core, s.name, place})
	return s.write(core)
}

// next plants the next shape; a place that holds a name gets one that no name has.
func (p *planter) next(place string) string {
	s := shapes[len(p.planted)%len(shapes)]
	if identity(place) && s.alphabet != mixed && s.alphabet != other {
		s = shapes[0]
	}
	return p.plant(s, place)
}

// identity reports whether a place holds a name, by which a report says what it is about: a name of the form of names is kept there.
func identity(place string) bool {
	field := strings.ToLower(place[strings.LastIndexAny(place, "./")+1:])
	return strings.HasSuffix(field, "name") || slices.ContainsFunc([]string{"image", "host", "namespace", "group", "kind", "key", "value", "values", "resource", "verb", "provisioner", "driver", "finalizer", "audience", "operator", "port", "category", "categorie", "path", "version", "apigroup", "plural", "singular", "signername", "listkind", "schedulername"}, func(s string) bool { return strings.HasPrefix(field, s) })
}

// readable returns the secrets that can be read in a text, also encoded, in capitals, backwards, in parts, or by their plain hash.
func (p *planter) readable(text string) []plantedSecret {
	const width = 8 // bytes by which a form is looked up
	type sign struct {
		form string
		of   int
	}
	signs := map[string][]sign{}
	for i, s := range p.planted {
		for form := range forms(s.core) {
			if len(form) >= width {
				signs[form[:width]] = append(signs[form[:width]], sign{form, i})
			}
		}
	}
	found := map[int]bool{}
	for at := 0; at+width <= len(text); at++ {
		for _, s := range signs[text[at:at+width]] {
			if strings.HasPrefix(text[at:], s.form) {
				found[s.of] = true
			}
		}
	}
	var list []plantedSecret
	for i := range found {
		list = append(list, p.planted[i])
	}
	slices.SortFunc(list, func(a, b plantedSecret) int { return strings.Compare(a.shape+a.place, b.shape+b.place) })
	return list
}

// forms returns what a secret, or a part of it, looks like when it is readable.
func forms(core string) map[string]bool {
	all := map[string]bool{}
	runes := []rune(core)
	for at := 0; at+8 <= len(runes); at += 4 {
		part := string(runes[at : at+8])
		for _, form := range []string{part, strings.ToLower(part), strings.ToUpper(part), backwards(part), hex.EncodeToString([]byte(part)), url.QueryEscape(part)} {
			all[form] = true
		}
	}
	for shift := range 3 {
		all[base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + core))[4:16]] = true
	}
	md, sha, sha2 := md5.Sum([]byte(core)), sha1.Sum([]byte(core)), sha256.Sum256([]byte(core))
	for _, sum := range [][]byte{md[:], sha[:], sha2[:]} {
		all[hex.EncodeToString(sum)[:16]], all[base64.StdEncoding.EncodeToString(sum)[:16]] = true, true
	}
	return all
}

func backwards(s string) string {
	runes := []rune(s)
	slices.Reverse(runes)
	return string(runes)
}

func (s plantedSecret) String() string { return fmt.Sprintf("%s (%s) at %s", s.core, s.shape, s.place) }
