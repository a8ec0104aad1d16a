package lock

import (
	"cmp"
	"crypto/rand"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
)

// An Identity names one process: who runs it, where, and which one it is.
type Identity struct {
	User, Host, place, Process, nonce string
}

// OwnIdentity names this process, anew at every call: two holds of one process are two holders.
func OwnIdentity() Identity {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return Identity{User: userName(), Host: host, place: placeOfProcesses(), Process: strconv.Itoa(os.Getpid()), nonce: rand.Text()[:8]}
}

func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		parts := strings.FieldsFunc(u.Username, func(r rune) bool { return r == '\\' || r == '/' }) // DOMAIN\jane
		return parts[len(parts)-1]
	}
	return cmp.Or(os.Getenv("USER"), os.Getenv("USERNAME"), "somebody")
}

// placeOfProcesses tells apart machines, and containers on one, that have the same name but not the same process numbers.
func placeOfProcesses() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return inventory.Hash([]byte(string(boot) + namespace))
}

func (i Identity) String() string {
	return strings.Join([]string{i.User + "@" + i.Host, i.place, i.Process, i.nonce}, "/")
}

func ParseIdentity(s string) Identity {
	parts := append(strings.Split(s, "/"), "", "", "")
	i := Identity{place: parts[1], Process: parts[2], nonce: parts[3]}
	i.User, i.Host, _ = strings.Cut(parts[0], "@")
	return i
}

func (i Identity) Who() string {
	if i.Host == "" {
		return cmp.Or(i.User, "somebody")
	}
	return i.User + "@" + i.Host
}

// KnowsGone tells whether a process is known to be no more, which can only be known on its own machine.
func (i Identity) KnowsGone(holder string) bool {
	other := ParseIdentity(holder)
	process, err := strconv.Atoi(other.Process)
	if err != nil || other.Host != i.Host || other.place != i.place {
		return false
	}
	return !running(process)
}
