package kubetest

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

// A Planter makes secrets that occur nowhere else, and finds them again.
type Planter struct {
	random  *rand.Rand
	planted []PlantedSecret
}

// A PlantedSecret is where a secret is, in which shape.
type PlantedSecret struct{ core, shape, place string }

// NewPlanter returns one that plants the same secrets in each run.
func NewPlanter() *Planter { return &Planter{random: rand.New(rand.NewPCG(7, 11))} }

// Planted counts the secrets.
func (p *Planter) Planted() int { return len(p.planted) }

// Alphabets of secrets.
const (
	Mixed  = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
	Lower  = "bcdfghjkmnpqrstvwxyz"
	upper  = "BCDFGHJKMNPQRSTVWXYZ"
	Digits = "0123456789"
	hexes  = "0123456789abcdef"
	other  = "äöüßéñçжшщюя漢字仮名"
)

// Core returns 16 random letters.
func (p *Planter) Core(alphabet string) string {
	letters := []rune(alphabet)
	out := make([]rune, 16)
	for i := range out {
		out[i] = letters[p.random.IntN(len(letters))]
	}
	return string(out)
}

// A SecretShape is how a secret is written down. Its core is of the alphabet.
type SecretShape struct {
	name, alphabet string
	write          func(core string) string
}

func as(format string) func(string) string {
	return func(core string) string { return strings.ReplaceAll(format, "%s", core) }
}

// Base64 encodes a text.
func Base64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// SecretShapes are the ways to write a secret: bare, in tokens, in addresses, in files, in arguments, encoded.
var SecretShapes = []SecretShape{
	{"bare", Mixed, as("%s")}, {"lower case", Lower, as("%s")}, {"upper case", upper, as("%s")}, {"digits", Digits, as("%s")}, {"hex", hexes, as("%s%s")}, {"not ASCII", other, as("%s")},
	{"bearer", Mixed, as("Bearer %s")}, {"authorization header", Mixed, as("Authorization: Bearer %s")}, {"basic header", Mixed, func(c string) string { return "Authorization: Basic " + Base64("admin:"+c) }},
	{"JWT", Mixed, func(c string) string {
		return "eyJhbGciOiJIUzI1NiJ9." + strings.TrimRight(Base64(`{"sub":"`+c+`"}`), "=") + "." + c
	}},
	{"URL user", Mixed, as("https://admin:%s@db.example.com:5432/x")}, {"URL token user", Mixed, as("https://%s@github.com/o/r")}, {"URL query", Mixed, as("https://h.example.com/x?token=%s")},
	{"SAS", Mixed, as("https://a.blob.core.windows.net/c?sv=2024-01-01&sig=%s%3D")}, {"S3 signature", hexes, as("https://b.s3.amazonaws.com/k?X-Amz-Signature=%s")}, {"webhook URL", Mixed, as("https://hooks.slack.com/services/T00/B00/%s")},
	{"AWS key", upper, as("AKIA%s")}, {"AWS secret", Mixed, as("aws_secret_access_key = %s")}, {"Azure key", Mixed, as("AccountKey=%s==;EndpointSuffix=core.windows.net")}, {"GCP key", Mixed, as(`{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"}`)},
	{"GitHub token", Mixed, as("ghp_%s")}, {"connection string", Mixed, as("Server=db;User Id=sa;Password=%s;Encrypt=true")}, {"DSN", Mixed, as("root:%s@tcp(mysql:3306)/db")},
	{"PEM key", Mixed, as("-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----\n")}, {"PEM certificate", Mixed, as("-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n")}, {"bcrypt", Mixed, as("$2y$04$%s%s%s.....")},
	{"base64", Mixed, Base64}, {"base64 of JSON", Mixed, func(c string) string { return Base64(`{"auths":{"r":{"auth":"` + Base64("u:"+c) + `"}}}`) }}, {"base64 twice", Mixed, func(c string) string { return Base64(Base64(c)) }}, {"hex encoded", Mixed, func(c string) string { return hex.EncodeToString([]byte(c)) }}, {"URL encoded", other, url.QueryEscape},
	{"YAML", Mixed, as("a: true\nclientSecret: %s\n")}, {"YAML quoted", Mixed, as("cookie_secret: \"%s\"\nport: 80\n")}, {"YAML flow", Mixed, as("{client: {id: x, secret: %s}, mode: strict}")}, {"YAML list", Mixed, as("keys:\n- %s\n- '%s'\n")}, {"YAML block", Mixed, as("tls.key: |\n  %s\nport: 80\n")}, {"YAML folded", Mixed, as("notes: >-\n  see\n  %s\n")},
	{"YAML comment", Mixed, as("port: 80 # was %s\n")}, {"YAML key", Mixed, as("%s: true\n")}, {"YAML anchor", Mixed, as("a: &x %s\nb: *x\n")}, {"INI", Mixed, as("[db]\npassword = %s\n")}, {"TOML", Mixed, as("client_secret = \"%s\"\n")}, {"properties", Mixed, as("spring.datasource.password=%s\n")}, {"JSON", Mixed, as(`{"client_secret":"%s"}`)}, {"JSON list", Mixed, as(`["--x","%s"]`)}, {"JSON in JSON", Mixed, as(`{"a":"{\"b\":\"%s\"}"}`)},
	{"JSON key", Mixed, as(`{"%s":1}`)}, {"neighbour", Mixed, as("{hash: x, %s: y, note: %s}")}, {"env file", Mixed, as("export DB_PASSWORD=%s\n")}, {"flag with =", Mixed, as("--client-secret=%s")}, {"unknown flag", Mixed, as("--%s")}, {"flag and value", Mixed, as("--db-password %s --verbose")}, {"curl", Mixed, as("curl -u admin:%s -H 'X-Api-Key: %s' http://x")},
	{"split over lines", Mixed, func(c string) string { return c[:8] + "\n" + c[8:] }}, {"with spaces", Mixed, as("  %s  ")}, {"in a sentence", Mixed, as("login with %s failed: timed out")}, {"in quotes", Mixed, as(`user "%s" does not exist`)}, {"script", Mixed, as("#!/bin/sh\nPW=%s\necho \"$PW\" | login\n")}, {"Lua", Mixed, as("function f(h)\n  h:headers():add(\"x-token\", \"%s\")\nend\n")}, {"LDAP", Mixed, as("bindDN: cn=admin,dc=x\nbindPW: %s\n")}, {"htpasswd", Mixed, as("admin:$apr1$%s$%s")}, {"XML", Mixed, as("<password>%s</password>")}, {"SSH", Mixed, as("ssh-rsa AAAA%s me@x")}, {"escaped", Mixed, as("a\\n%s\\tb")}, {"data URL", Mixed, func(c string) string { return "data:text/plain;base64," + Base64(c) }},
}

// LogLines are what a program logs around a credential (%s).
var LogLines = []string{
	"%s", "2026-03-01T12:00:00Z ERROR %s", "login with %s failed: timed out", "password=%s", "\x1b[36mclient_secret\x1b[0m=\x1b[33m%s\x1b[0m", `{"level":"error","msg":"%s","token":"%s"}`,
	"config:\n  bindPW: %s\n  port: 389", "run with --db-password %s --port 80", "\u202e%s\u202c", "panic: %s\n\ngoroutine 1 [running]:", "GET https://admin:%s@db.example.com/x?sig=%s 401",
}

// Plant returns a secret in a shape, and remembers where it went.
func (p *Planter) Plant(s SecretShape, place string) string {
	core := p.Core(s.alphabet)
	p.planted = append(p.planted, PlantedSecret{core, s.name, place})
	return s.write(core)
}

// Next plants the next shape; a place that holds a name gets one that no name has.
func (p *Planter) Next(place string) string {
	s := SecretShapes[len(p.planted)%len(SecretShapes)]
	if identity(place) && s.alphabet != Mixed && s.alphabet != other {
		s = SecretShapes[0]
	}
	return p.Plant(s, place)
}

// identity reports whether a place holds a name, by which a report says what it is about: a name of the form of names is kept there.
func identity(place string) bool {
	field := strings.ToLower(place[strings.LastIndexAny(place, "./")+1:])
	return strings.HasSuffix(field, "name") || slices.ContainsFunc([]string{"image", "host", "namespace", "group", "kind", "key", "value", "values", "resource", "verb", "provisioner", "driver", "finalizer", "audience", "operator", "port", "category", "categorie", "path", "version", "apigroup", "plural", "singular", "signername", "listkind", "schedulername"}, func(s string) bool { return strings.HasPrefix(field, s) })
}

// Readable returns the secrets that can be read in a text, also encoded, in capitals, backwards, in parts, or by their plain hash.
func (p *Planter) Readable(text string) []PlantedSecret {
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
	var list []PlantedSecret
	for i := range found {
		list = append(list, p.planted[i])
	}
	slices.SortFunc(list, func(a, b PlantedSecret) int { return strings.Compare(a.shape+a.place, b.shape+b.place) })
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

// String says what is readable.
func (s PlantedSecret) String() string { return fmt.Sprintf("%s (%s) at %s", s.core, s.shape, s.place) }
