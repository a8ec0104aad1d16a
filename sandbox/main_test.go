package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/build"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/cluster"
)

// asProgram makes the test binary be the sandbox program, so that the tests run
// it as a user does.
const asProgram = "SANDBOX_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	for _, version := range build.Tested() { // not while a test's patience runs
		if _, err := build.Ensure(context.Background(), version, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func TestUpAndDown(t *testing.T) {
	for _, version := range build.Tested() {
		t.Run("Kubernetes "+version, func(t *testing.T) {
			t.Parallel()
			name := unique("up", version)
			kubeconfig := filepath.Join(t.TempDir(), "config")
			out := sandbox(t, "up", "--kubernetes="+version, "--name="+name, "--kubeconfig="+kubeconfig)
			t.Cleanup(func() { _ = program("down", "--name="+name).Run() })
			if want := "export KUBECONFIG=" + kubeconfig + "\n"; out != want {
				t.Errorf("up prints %q, want %q", out, want)
			}
			place, err := cluster.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Run("status lists it as ready", func(t *testing.T) {
				if out := sandbox(t, "status"); !strings.Contains(out, name) || !strings.Contains(out, place.Kubeconfig) {
					t.Errorf("status prints\n%s", out)
				}
			})
			t.Run("up again says the same and starts nothing", func(t *testing.T) {
				if again := sandbox(t, "up", "--kubernetes="+version, "--name="+name); again != out {
					t.Errorf("up prints %q, want %q", again, out)
				}
			})
			t.Run("the API server comes back with what was stored", func(t *testing.T) {
				sandbox(t, "apiserver", "restart", "--name="+name, "--down=100ms")
				if out := sandbox(t, "status"); !strings.Contains(out, name) || !strings.Contains(out, "ready") {
					t.Errorf("status prints\n%s", out)
				}
			})
			t.Run("pods run and the gateway answers", func(t *testing.T) { gatewayAnswers(t, kubeconfig) })
			t.Run("down leaves nothing", func(t *testing.T) {
				sandbox(t, "down", "--name="+name)
				nothingLeft(t, place)
				if _, err := os.Stat(kubeconfig); !os.IsNotExist(err) {
					t.Errorf("the exported kubeconfig is still there: %v", err)
				}
			})
		})
	}
}

func TestRun(t *testing.T) {
	t.Run("ends with its standard input and leaves nothing", func(t *testing.T) {
		t.Parallel()
		cmd, stdin, place := running(t, "guide", "--with-stdin", "--kubernetes=1.21", "--scenario=guide")
		lastWords(t, place, "mpi-operator", "flag provided but not defined: -kubectl-delivery-image")
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("run ended with %v", err)
		}
		nothingLeft(t, place)
	})
	t.Run("leaves no process when it is killed, and down removes its folder", func(t *testing.T) {
		t.Parallel()
		cmd, _, place := running(t, "new-argo", "--scenario=legacy-executor-on-new-argo")
		lastWords(t, place, "workflow-controller", `unknown field "containerRuntimeExecutor"`)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		eventually(t, "its programs end", func() bool { return len(processes(t, place.Dir)) == 0 })
		sandbox(t, "down", "--name="+place.Name)
		nothingLeft(t, place)
	})
	t.Run("refuses what cannot be, naming what can", func(t *testing.T) {
		for flag, want := range map[string]string{
			"--kubernetes=1.30":   `the sandbox does not support Kubernetes "1.30": choose one of 1.37, 1.35, 1.21`,
			"--without=dashboard": `AKS has no part "dashboard"`,
			"--name=No Name":      "is not a valid sandbox name",
			"--scenario=nope":     `there is no scenario "nope"`,
			"--nodes=-1":          "cannot have -1 nodes",
		} {
			out, err := program("run", "--with-stdin", flag).CombinedOutput() // without input it ends, should it start
			if err == nil || !strings.Contains(string(out), want) {
				t.Errorf("run %s: %v, %s; want %q", flag, err, out, want)
			}
		}
	})
}

// running starts "sandbox run" and returns when it is ready.
func running(t *testing.T, what string, flags ...string) (*exec.Cmd, interface{ Close() error }, cluster.Place) {
	name := unique("run", what)
	cmd := program(append([]string{"run", "--nodes=1", "--name=" + name}, flags...)...)
	var log bytes.Buffer
	cmd.Stderr = &log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	place, _ := cluster.Find(name)
	if err != nil || line != "ready "+place.Kubeconfig+"\n" {
		t.Fatalf("run prints %q, %v\n%s", line, err, log.String())
	}
	if len(processes(t, place.Dir)) < 5 {
		t.Fatalf("only these programs run:\n%s", strings.Join(processes(t, place.Dir), "\n"))
	}
	return cmd, stdin, place
}

// lastWords looks into the log of a program that the scenario makes crash.
func lastWords(t *testing.T, place cluster.Place, deployment, want string) {
	t.Helper()
	programs, err := build.Ensure(t.Context(), build.Default, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(programs.Kubectl, "--kubeconfig="+place.Kubeconfig, "--namespace=kubeflow", "logs", "deployment/"+deployment).CombinedOutput()
	if err != nil || !strings.Contains(string(out), want) {
		t.Errorf("the log of %s is %q, %v; want %q", deployment, out, err, want)
	}
}

func nothingLeft(t *testing.T, place cluster.Place) {
	t.Helper()
	if left := processes(t, place.Dir); len(left) > 0 {
		t.Errorf("still running:\n%s", strings.Join(left, "\n"))
	}
	if _, err := os.Stat(place.Dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", place.Dir, err)
	}
}

// processes lists the command lines that name a sandbox's folder.
func processes(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		if args, err := os.ReadFile(file); err == nil { // else it has just ended
			all = append(all, strings.ReplaceAll(string(args), "\x00", " "))
		}
	}
	if len(files) == 0 { // not Linux, where ps need not be installed
		out, err := exec.Command("ps", "-axo", "pid,args").Output()
		if err != nil {
			t.Fatal(err)
		}
		all = slices.Collect(strings.Lines(string(out)))
	}
	return slices.DeleteFunc(all, func(line string) bool { return !strings.Contains(line, dir+"/") })
}

func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// sandbox runs a command and returns its standard output.
func sandbox(t *testing.T, args ...string) string {
	t.Helper()
	cmd := program(args...)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("sandbox %s: %v\n%s", strings.Join(args, " "), err, log.String())
	}
	return string(out)
}

// unique names a sandbox so that it meets no other of this machine.
func unique(parts ...string) string {
	return fmt.Sprintf("test%s-%d", strings.Join(parts, ""), os.Getpid())
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited for this in vain: %s", what)
		}
	}
}
