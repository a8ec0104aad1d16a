package controlplane

import (
	"os/exec"
	"syscall"
)

// mortal returns a command that the kernel kills when this process exits, even if
// it is killed. Its own process group protects it from a terminal's Ctrl-C.
func mortal(path string, args []string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

func killGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
