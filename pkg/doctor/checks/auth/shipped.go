package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"
)

// The default secrets, by their SHA-256: the values are in the manifests of all releases, and need not be repeated here.
var (
	shippedSecrets = map[string]string{
		"462a0aa7e3ad7e72bcc06fd22a504044f4a4c79033231b9dc8900ad84fbe29b9": "the dex client secret",
		"80c8cb5e94a392a3d8fc7cf03d8a73bf68788e684466a02393405c717243c900": "the cookie signing key",
		"179c076ac522159dbbd50d4f1d84faf05551fe5b59d7e5824a800d46559fb1d1": "the object store key",
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08": "the Katib database password",
	}
	shippedNames = map[string]bool{ // of clients, accounts and users: not secret
		"c42df7af12fee8596df75f10f14e122e91e00d7cec96bc79d287a68a072f255b": true,
		"5791b6226743c56f44f8274cc67b8beb9751b6403e697243ad00fd37af5635e3": true,
		"4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2": true,
		"b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514": true,
		"7b6c3d7138c62b33430dd2de2a0ce8e5922e955a7ae8a03c3fa1a0796737ab53": true,
		"04f8996da763b7a969b1028ee3007569eaf3a635486ddab211d512c85b9df8fb": true,
	}
)

// DefaultPassword is the default password of the static user, which the documentation of Kubeflow publishes.
const DefaultPassword = "12341234"

// DefaultUser is that user.
const DefaultUser = "user@example.com"

// Shipped reports whether a value is a default of Kubeflow, or a hash of its default password. Such a value is public: a bundle
// may keep it, and needs to.
func Shipped(value string) bool {
	sum := digest(value)
	return shippedSecrets[sum] != "" || shippedNames[sum] || IsDefaultHash(value)
}

func digest(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

// IsDefaultHash reports whether a bcrypt hash, whatever its salt, is that of the default password.
func IsDefaultHash(hash string) bool {
	if !strings.HasPrefix(hash, "$2") {
		return false
	}
	known, compared := comparedHashes.Load(hash)
	if !compared { // bcrypt is slow by design
		known = bcrypt.CompareHashAndPassword([]byte(hash), []byte(DefaultPassword)) == nil
		comparedHashes.Store(hash, known)
	}
	return known.(bool)
}

var comparedHashes sync.Map // hash → bool
