package controlplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A folder is where a control plane keeps its files: below it are pki/, etcd/,
// logs/, kubeconfigs and configuration.
type folder string

func (f folder) path(elem ...string) string {
	return filepath.Join(append([]string{string(f)}, elem...)...)
}

func (f folder) cert(name string) string { return f.path("pki", name+".crt") }
func (f folder) key(name string) string  { return f.path("pki", name+".key") }

func (f folder) write(name string, content []byte) error {
	return os.WriteFile(f.path(name), content, 0o600)
}

// An identity is a component's name at the API server.
type identity struct {
	file, user string
	groups     []string
}

var identities = []identity{
	{"admin", "sandbox-admin", []string{"system:masters"}},
	{"controller-manager", "system:kube-controller-manager", nil},
	{"scheduler", "system:kube-scheduler", nil},
	{"kwok", "sandbox-kwok", []string{"system:masters"}},
}

// issue writes every certificate and key that the programs need.
func (f folder) issue(ca *Authority) error {
	for _, dir := range []string{"pki", "logs", "etcd"} {
		if err := os.MkdirAll(f.path(dir), 0o700); err != nil {
			return err
		}
	}
	pairs := map[string]func() (KeyPair, error){
		"ca":        func() (KeyPair, error) { return KeyPair{ca.CertPEM, ca.KeyPEM}, nil },
		"etcd":      func() (KeyPair, error) { return ca.Server("etcd", "127.0.0.1", "localhost") },
		"apiserver": func() (KeyPair, error) { return ca.Server("kube-apiserver", apiServerNames...) },
		"kubelet":   func() (KeyPair, error) { return ca.Server("kubelet", "127.0.0.1", "localhost") },

		"apiserver-etcd":    func() (KeyPair, error) { return ca.Client("kube-apiserver") },
		"apiserver-kubelet": func() (KeyPair, error) { return ca.Client("kube-apiserver-kubelet-client", "system:masters") },
		"front-proxy":       func() (KeyPair, error) { return ca.Client("front-proxy-client") },
		"service-account":   signingKey,
	}
	for name, issue := range pairs {
		pair, err := issue()
		if err != nil {
			return err
		}
		if err := f.writePair(name, pair); err != nil {
			return err
		}
	}
	return nil
}

func (f folder) writePair(name string, pair KeyPair) error {
	if err := os.WriteFile(f.cert(name), pair.Cert, 0o600); err != nil {
		return err
	}
	return os.WriteFile(f.key(name), pair.Key, 0o600)
}

// signingKey makes the key of service account tokens; Cert is the public half.
func signingKey() (KeyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return KeyPair{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return KeyPair{}, err
	}
	private, err := encodeKey(key)
	return KeyPair{Cert: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), Key: private}, err
}

// kubeconfigs writes one kubeconfig per identity, each with everything inside.
func (f folder) kubeconfigs(ca *Authority, server, context string) error {
	for _, id := range identities {
		pair, err := ca.Client(id.user, id.groups...)
		if err != nil {
			return err
		}
		config := clientcmdapi.NewConfig()
		config.Clusters[context] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: ca.CertPEM}
		config.AuthInfos[context+"-"+id.file] = &clientcmdapi.AuthInfo{ClientCertificateData: pair.Cert, ClientKeyData: pair.Key}
		config.Contexts[context] = &clientcmdapi.Context{Cluster: context, AuthInfo: context + "-" + id.file}
		config.CurrentContext = context
		if err := clientcmd.WriteToFile(*config, f.kubeconfig(id.file)); err != nil {
			return fmt.Errorf("writing the kubeconfig of %s: %w", id.user, err)
		}
	}
	return nil
}

func (f folder) kubeconfig(name string) string { return f.path(name + ".kubeconfig") }
