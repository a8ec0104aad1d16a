package signin

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/auth"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// NewSecret returns a random secret of 32 letters and digits, which is also as long as a key for cookies has to be.
func NewSecret() string {
	key := make([]byte, 16)
	_, _ = rand.Read(key) // it never fails: the program ends if the system has no randomness
	return hex.EncodeToString(key)
}

// hashCost is what dex's own manifests take.
const hashCost = 12

// HashPassword returns the hash of a new password for the dashboard, as doctor.Settings takes it. It refuses one that dex does
// not take, and the one that every Kubeflow comes with.
func HashPassword(password string) (string, error) {
	switch {
	case len(password) < 8 || len(password) > 72 || strings.ContainsAny(password, "\r\n"):
		return "", &problem.Error{Usage: true, What: "the password has to be one line of 8 to 72 bytes", Next: "Choose another one"}
	case auth.Shipped(password) || password == auth.DefaultPassword:
		return "", &problem.Error{Usage: true, What: "this is the default password of Kubeflow", Next: "Choose another one"}
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), hashCost)
	if err != nil {
		return "", fmt.Errorf("hashing the password: %w", err)
	}
	return string(hash), nil
}
