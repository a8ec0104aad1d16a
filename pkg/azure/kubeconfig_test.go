package azure

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// answered is a kubeconfig as AKS answers with it for a cluster with Entra ID.
func answered(change func(*api.Config)) *api.Config {
	c := api.NewConfig()
	c.Clusters["kf"] = &api.Cluster{Server: "https://kf-1.hcp.westeurope.azmk8s.io:443", CertificateAuthorityData: []byte("ca")}
	c.AuthInfos["clusterUser_g_kf"] = &api.AuthInfo{Exec: &api.ExecConfig{APIVersion: "client.authentication.k8s.io/v1beta1", Command: "kubelogin",
		Args: []string{"get-token", "--environment", "AzurePublicCloud", "--server-id", "server", "--client-id", "client", "--tenant-id", "tenant", "--login", "devicecode"}}}
	c.Contexts["kf"] = &api.Context{Cluster: "kf", AuthInfo: "clusterUser_g_kf"}
	c.CurrentContext = "kf"
	if change != nil {
		change(c)
	}
	return c
}

func TestKubeloginUsesTheSignInOfAz(t *testing.T) {
	config, err := only(answered(nil), "kf", false)
	if err != nil {
		t.Fatal(err)
	}
	exec := config.AuthInfos["clusterUser_kf"].Exec
	if got := strings.Join(exec.Args, " "); got != "get-token --login azurecli --environment AzurePublicCloud --server-id server --tenant-id tenant" {
		t.Errorf("kubelogin is called with %s", got)
	}
}

// TestAKubeconfigRunsNothingElse changes what Azure answers, in each way in which a kubeconfig can run a program, read a file
// or trust a server that is not verified.
func TestAKubeconfigRunsNothingElse(t *testing.T) {
	user := func(change func(*api.AuthInfo)) func(*api.Config) {
		return func(c *api.Config) { change(c.AuthInfos["clusterUser_g_kf"]) }
	}
	server := func(change func(*api.Cluster)) func(*api.Config) {
		return func(c *api.Config) { change(c.Clusters["kf"]) }
	}
	for what, change := range map[string]func(*api.Config){
		"another program":          user(func(u *api.AuthInfo) { u.Exec.Command = "sh" }),
		"kubelogin elsewhere":      user(func(u *api.AuthInfo) { u.Exec.Command = "./kubelogin" }),
		"an auth provider":         user(func(u *api.AuthInfo) { u.AuthProvider = &api.AuthProviderConfig{Name: "gcp"} }),
		"a token file":             user(func(u *api.AuthInfo) { u.TokenFile = "/etc/shadow" }),
		"a key file":               user(func(u *api.AuthInfo) { u.ClientKey = "/etc/shadow" }),
		"a certificate file":       user(func(u *api.AuthInfo) { u.ClientCertificate = "/etc/shadow" }),
		"a server without TLS":     server(func(s *api.Cluster) { s.InsecureSkipTLSVerify = true }),
		"a server without a CA":    server(func(s *api.Cluster) { s.CertificateAuthorityData = nil }),
		"a CA file":                server(func(s *api.Cluster) { s.CertificateAuthority = "/tmp/ca" }),
		"a proxy":                  server(func(s *api.Cluster) { s.ProxyURL = "http://proxy" }),
		"two clusters":             func(c *api.Config) { c.Clusters["other"] = c.Clusters["kf"] },
		"two users":                func(c *api.Config) { c.AuthInfos["other"] = c.AuthInfos["clusterUser_g_kf"] },
		"no context":               func(c *api.Config) { c.CurrentContext = "other" },
		"a context without a user": func(c *api.Config) { c.Contexts["kf"].AuthInfo = "other" },
	} {
		if config, err := only(answered(change), "kf", false); err == nil {
			t.Errorf("%s is accepted: %+v", what, config)
		}
	}
	config, err := only(answered(user(func(u *api.AuthInfo) {
		u.Impersonate, u.Username, u.Password = "admin", "u", "p"
		u.Exec.Env = []api.ExecEnvVar{{Name: "LD_PRELOAD", Value: "x"}}
		u.Exec.Args = append(u.Exec.Args, "--token-cache-dir", "/tmp/x")
	})), "kf", false)
	if err != nil {
		t.Fatal(err)
	}
	text, err := clientcmd.Write(*config)
	if err != nil || bytes.Contains(text, []byte("LD_PRELOAD")) || bytes.Contains(text, []byte("/tmp/x")) || bytes.Contains(text, []byte("admin")) {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestOnlyTheEntriesOfTheClusterChange(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "config")
	before := api.NewConfig()
	before.Clusters["other"] = &api.Cluster{Server: "https://other"}
	before.AuthInfos["other"] = &api.AuthInfo{Token: "t"}
	before.Contexts["other"] = &api.Context{Cluster: "other", AuthInfo: "other", Namespace: "n"}
	before.CurrentContext = "other"
	if err := clientcmd.WriteToFile(*before, file); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(folder, "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	config, _ := only(answered(nil), "kf", false)
	merged, err := Merge(context.Background(), link, config, time.Now())
	if err != nil || merged.Backup != "" || merged.Context != "kf" {
		t.Fatalf("%+v, %v", merged, err)
	}
	after, err := clientcmd.LoadFromFile(file)
	if err != nil || after.CurrentContext != "kf" || len(after.Contexts) != 2 || after.Contexts["other"].Namespace != "n" || after.AuthInfos["other"].Token != "t" {
		t.Fatalf("%+v, %v", after, err)
	}
	if stat, err := os.Lstat(link); err != nil || stat.Mode()&os.ModeSymlink == 0 {
		t.Error("the user's link was replaced")
	}
	if stat, err := os.Stat(file); err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("the kubeconfig can be read by others: %v", stat.Mode())
	}
	// Again: nothing is replaced. A user's namespace stays.
	after.Contexts["kf"].Namespace = "team"
	if err := clientcmd.WriteToFile(*after, file); err != nil {
		t.Fatal(err)
	}
	config, _ = only(answered(nil), "kf", false)
	if merged, err = Merge(context.Background(), file, config, time.Now()); err != nil || len(merged.Replaced) != 0 {
		t.Fatalf("%+v, %v", merged, err)
	}
	if again, err := clientcmd.LoadFromFile(file); err != nil || again.Contexts["kf"].Namespace != "team" {
		t.Errorf("the namespace is lost: %+v, %v", again, err)
	}
	// Another cluster of the same name: what it replaces is kept.
	old, _ := os.ReadFile(file)
	config, _ = only(answered(func(c *api.Config) { c.Clusters["kf"].Server = "https://new:443" }), "kf", false)
	merged, err = Merge(context.Background(), file, config, time.Now())
	if err != nil || !reflect.DeepEqual(merged.Replaced, []string{"cluster kf"}) {
		t.Fatalf("%+v, %v", merged, err)
	}
	if kept, err := os.ReadFile(merged.Backup); err != nil || !bytes.Equal(kept, old) {
		t.Errorf("the file as it was is not kept: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*.lock")); len(left) != 0 {
		t.Errorf("the lock is left: %v", left)
	}
}

func TestAKubeconfigThatCannotBeReadIsNotOverwritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("{{"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, _ := only(answered(nil), "kf", false)
	if _, err := Merge(context.Background(), file, config, time.Now()); err == nil {
		t.Error("it was overwritten")
	}
	if content, _ := os.ReadFile(file); string(content) != "{{" {
		t.Errorf("it is now %s", content)
	}
}
