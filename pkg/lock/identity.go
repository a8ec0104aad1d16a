package lock

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// An identity names one process: who runs it, where, and which one it is.
type identity struct {
	user, host, pidNamespace, process, nonce string
}

// ownIdentity names this process, differently at every call: one process that acquires twice is two holders.
func ownIdentity() identity {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return identity{user: userName(), host: host, pidNamespace: pidNamespace(), process: strconv.Itoa(os.Getpid()), nonce: rand.Text()[:8]}
}

func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		parts := strings.FieldsFunc(u.Username, func(r rune) bool { return r == '\\' || r == '/' }) // DOMAIN\jane
		return parts[len(parts)-1]
	}
	return cmp.Or(os.Getenv("USER"), os.Getenv("USERNAME"), "an unknown user")
}

// pidNamespace distinguishes machines, and containers of one machine, that have the same host name but not the same PIDs.
func pidNamespace() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(string(boot) + namespace))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func (i identity) String() string {
	return strings.Join([]string{i.user + "@" + i.host, i.pidNamespace, i.process, i.nonce}, "/")
}

func parseIdentity(s string) identity {
	parts := append(strings.Split(s, "/"), "", "", "")
	i := identity{pidNamespace: parts[1], process: parts[2], nonce: parts[3]}
	i.user, i.host, _ = strings.Cut(parts[0], "@")
	return i
}

func (i identity) who() string {
	if i.host == "" {
		return cmp.Or(i.user, "an unknown user")
	}
	return i.user + "@" + i.host
}

// is reports whether a holder is the same process.
func (i identity) is(holder string) bool {
	other := parseIdentity(holder)
	return other.host == i.host && other.pidNamespace == i.pidNamespace && other.process == i.process
}

// knowsGone reports whether a process is known to have ended, which can only be known on its own machine.
func (i identity) knowsGone(holder string) bool {
	other := parseIdentity(holder)
	process, err := strconv.Atoi(other.process)
	if err != nil || other.host != i.host || other.pidNamespace != i.pidNamespace {
		return false
	}
	return !running(process)
}
