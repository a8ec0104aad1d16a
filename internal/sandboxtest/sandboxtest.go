//go:build unix

package sandboxtest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"k8s.io/klog/v2"
)

// Start runs a sandbox, with the flags of "sandbox run", and returns its
// administrator's kubeconfig and what ends it. It is for TestMain: when there is
// no sandbox it says why and ends the test binary with a failure.
func Start(flags ...string) (kubeconfig string, stop func()) {
	klog.SetLogger(klog.Logger{}) // as the program does: the log of client-go hides why a test failed
	program, err := program()
	if err != nil {
		fail(err)
	}
	kubeconfig, stop, err = run(program, onOther(flags))
	if err != nil {
		fail(err)
	}
	return kubeconfig, stop
}

// Kubectl returns the path of a real kubectl of that Kubernetes version.
func Kubectl(kubernetes string) string {
	program, err := program()
	if err != nil {
		fail(err)
	}
	cmd := exec.Command(program, "kubectl", onOther([]string{"--kubernetes=" + kubernetes})[0])
	cmd.Stderr = os.Stderr
	path, err := cmd.Output()
	if err != nil {
		fail(fmt.Errorf("finding kubectl: %w", err))
	}
	return strings.TrimSpace(string(path))
}

// onOther replaces Kubernetes 1.35, which tests ask for when they mean a current version, with the one in KUBEFLOW_TEST_KUBERNETES.
func onOther(flags []string) []string {
	other := os.Getenv("KUBEFLOW_TEST_KUBERNETES")
	if other == "" {
		return flags
	}
	flags = slices.Clone(flags)
	for i, flag := range flags {
		if flag == "--kubernetes=1.35" {
			flags[i] = "--kubernetes=" + other
		}
	}
	return flags
}

// run starts the program and waits for its one line. The program ends when its
// standard input does, so it cannot outlive this process.
func run(program string, flags []string) (kubeconfig string, stop func(), err error) {
	cmd := exec.Command(program, append([]string{"run", "--with-stdin"}, flags...)...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = sync.OnceFunc(func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	kubeconfig, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ready {
		stop()
		return "", nil, fmt.Errorf("%s %s: it did not become ready: %v", program, strings.Join(cmd.Args[1:], " "), cmd.ProcessState)
	}
	return kubeconfig, stop, nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "sandboxtest: no sandbox to test with:", err)
	os.Exit(1)
}
