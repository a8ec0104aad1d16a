//go:build unix

package sandboxtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestStart(t *testing.T) {
	Needed(t)
	kubeconfig, stop := Start("--kubernetes=1.35", "--nodes=1")
	defer stop()

	t.Run("hands out a kubeconfig that a real kubectl can use", func(t *testing.T) {
		out, err := exec.Command(Kubectl("1.35"), "--kubeconfig="+kubeconfig, "get", "nodes", "-o", "name").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "node/aks-") {
			t.Fatalf("kubectl get nodes: %v\n%s", err, out)
		}
	})
	t.Run("leaves nothing when it stops", func(t *testing.T) {
		stop()
		if _, err := os.Stat(kubeconfig); !os.IsNotExist(err) {
			t.Fatalf("%s is still there: %v", kubeconfig, err)
		}
	})
}
