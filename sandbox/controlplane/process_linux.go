package controlplane

import (
	"os/exec"
	"syscall"
)

// mortal makes a command that the kernel kills when this process ends, also
// when it is killed itself. A group of its own keeps a terminal's Ctrl-C away.
func mortal(path string, args []string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

func killGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
