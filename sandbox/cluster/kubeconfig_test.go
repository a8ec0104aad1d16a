package cluster

import (
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func TestExport(t *testing.T) {
	dir := t.TempDir()
	mine, theirs := filepath.Join(dir, "mine"), filepath.Join(dir, "theirs")
	write(t, mine, "sandbox-x")

	t.Run("makes a file and takes it away again", func(t *testing.T) {
		previous, err := export(mine, theirs)
		if err != nil {
			t.Fatal(err)
		}
		if err := withdraw(theirs, "x", previous); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(theirs); !os.IsNotExist(err) {
			t.Errorf("the file is still there: %v", err)
		}
	})
	t.Run("leaves other contexts alone", func(t *testing.T) {
		write(t, theirs, "production")
		previous, err := export(mine, theirs)
		if err != nil {
			t.Fatal(err)
		}
		if config := contexts(t, theirs); len(config.Contexts) != 2 || config.CurrentContext != "sandbox-x" {
			t.Errorf("contexts %v, current %q", config.Contexts, config.CurrentContext)
		}
		if err := withdraw(theirs, "x", previous); err != nil {
			t.Fatal(err)
		}
		if config := contexts(t, theirs); len(config.Contexts) != 1 || config.Contexts["production"] == nil {
			t.Errorf("contexts %v", config.Contexts)
		}
	})
	t.Run("gives back the context that was current", func(t *testing.T) {
		write(t, theirs, "production")
		previous, err := export(mine, theirs)
		if err != nil {
			t.Fatal(err)
		}
		if err := withdraw(theirs, "x", previous); err != nil {
			t.Fatal(err)
		}
		if got := contexts(t, theirs).CurrentContext; got != "production" {
			t.Errorf("current is %q", got)
		}
	})
}

func write(t *testing.T, file, name string) {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: "https://127.0.0.1:1"}
	config.AuthInfos[name+"-admin"] = &clientcmdapi.AuthInfo{Username: "someone"}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name + "-admin"}
	config.CurrentContext = name
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
}

func contexts(t *testing.T, file string) *clientcmdapi.Config {
	t.Helper()
	config, err := clientcmd.LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return config
}
