//go:build unix && !linux

package controlplane

import (
	"os/exec"
	"syscall"
)

// watchdog runs a program and kills it when standard input ends, which happens
// when the process at the other end exits. This system has no parent death
// signal.
const watchdog = `exec 3<&0; "$0" "$@" </dev/null 3<&- & child=$!
( cat <&3 >/dev/null; kill -9 $child ) & wait $child`

func mortal(path string, args []string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", append([]string{"-c", watchdog, path}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	_, _ = cmd.StdinPipe() // held open until this process ends
	return cmd
}

func killGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
