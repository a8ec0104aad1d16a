package sandboxtest

import (
	"flag"
	"os"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// Main is the TestMain of a package whose tests share a sandbox, with the flags of "sandbox run". It sets kubeconfig to its
// administrator's file, unless -short leaves out the tests that need a cluster, and ends the process.
func Main(m *testing.M, kubeconfig *string, flags ...string) {
	flag.Parse()
	stop := func() {}
	if !testing.Short() {
		*kubeconfig, stop = Start(flags...)
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

// Needed skips a test that needs a cluster where -short asks for that.
func Needed(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a cluster, which -short asks to leave out")
	}
}

// Connect returns a client of a cluster, which shares no cache with others. Options say how it connects otherwise.
func Connect(t testing.TB, kubeconfig string, options ...func(*genericclioptions.ConfigFlags)) *cluster.Client {
	t.Helper()
	flags := genericclioptions.NewConfigFlags(true).WithDiscoveryQPS(-1)
	cache := t.TempDir()
	flags.KubeConfig, flags.CacheDir = &kubeconfig, &cache
	for _, option := range options {
		option(flags)
	}
	client, err := cluster.Connect(flags)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
