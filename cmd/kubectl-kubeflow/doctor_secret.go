package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks"
)

// newSecret returns a random secret of 32 letters and digits, which is also as long as a key for cookies has to be.
func newSecret() string {
	key := make([]byte, 16)
	_, _ = rand.Read(key) // it never fails: the program ends if the system has no randomness
	return hex.EncodeToString(key)
}

// hashCost is what dex's own manifests take.
const hashCost = 12

// readPassword reads the new password that --dex-password names, and keeps its hash alone.
func (o *doctorOptions) readPassword() error {
	if o.dexPassword == "" {
		return nil
	}
	content, err := o.passwordFile()
	if err != nil {
		return &usageError{What: "--dex-password: " + err.Error(), Next: "Write the password into a file, on one line, and name the file"}
	}
	password := strings.TrimRight(content, "\r\n")
	switch {
	case len(password) < 8 || len(password) > 72 || strings.ContainsAny(password, "\r\n"):
		return &usageError{What: "--dex-password: the password has to be one line of 8 to 72 bytes", Next: "Write another one into the file"}
	case checks.Shipped(password) || password == checks.ShippedPassword:
		return &usageError{What: "--dex-password: that is the password that every Kubeflow comes with", Next: "Write another one into the file"}
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), hashCost)
	if err != nil {
		return fmt.Errorf("hashing the password: %w", err)
	}
	o.settings.PasswordHash = string(hash)
	return nil
}

func (o *doctorOptions) passwordFile() (string, error) {
	if o.dexPassword == "-" {
		content, err := io.ReadAll(io.LimitReader(o.In, 4096))
		return string(content), err
	}
	content, err := os.ReadFile(o.dexPassword)
	return string(content), err
}
