package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// roundTrip is how far away the API server is: Europe to the west coast of America.
const roundTrip = 120 * time.Millisecond

// distant measures the commands that people wait for, near the server and at a distance.
func (b *bench) distant(ctx context.Context, f figures, kubeconfig string) error {
	far, stop, err := delayed(kubeconfig, b.work, roundTrip)
	if err != nil {
		return err
	}
	defer stop()
	cache, err := os.MkdirTemp(b.work, "cache-")
	if err != nil {
		return err
	}
	for _, part := range []string{"distant install first", "distant install again"} {
		r, took, err := b.installWith(ctx, far, cache, "--release=26.03", "--mirror="+b.mirror, "--skip-verify")
		if err != nil {
			return err
		}
		f.add(part, took)
		f.add(part+": applied", r.ApplySeconds)
		f.add(part+": ready", r.ReadySeconds)
	}
	for _, command := range []string{"doctor", "status", "expose"} {
		for _, side := range []struct{ name, kubeconfig string }{{"near ", kubeconfig}, {"distant ", far}} {
			took, megabytes, err := timed(exec.CommandContext(ctx, b.plugin, "--kubeconfig="+side.kubeconfig, command, "-o", "json"))
			if err != nil {
				return fmt.Errorf("%s%s: %w", side.name, command, err)
			}
			f.add(side.name+command, took)
			f.add(side.name+command+": MB", megabytes)
		}
	}
	f.add("limit: doctor, distant", 2)
	f.add("limit: status, expose, distant", 1.5)
	f.add("limit: install again, distant", 3)
	return nil
}

// delayed returns a kubeconfig for a TCP proxy that passes everything on after half a round trip, in both directions.
func delayed(kubeconfig, dir string, round time.Duration) (path string, stop func(), err error) {
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	for _, cluster := range config.Clusters {
		server, err := url.Parse(cluster.Server)
		if err != nil {
			return "", nil, err
		}
		go accept(listener, server.Host, round/2)
		cluster.TLSServerName = server.Hostname()
		server.Host = listener.Addr().String()
		cluster.Server = server.String()
	}
	path = filepath.Join(dir, "distant.kubeconfig")
	return path, func() { _ = listener.Close() }, clientcmd.WriteToFile(*config, path)
}

func accept(listener net.Listener, server string, delay time.Duration) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			time.Sleep(2 * delay) // the handshake of TCP
			far, err := net.Dial("tcp", server)
			if err != nil {
				_ = near.Close()
				return
			}
			go carry(far, near, delay)
			carry(near, far, delay)
		}()
	}
}

// carry copies what comes from one connection to the other, each part after the delay, however much is under way.
func carry(to, from net.Conn, delay time.Duration) {
	type part struct {
		due     time.Time
		content []byte
	}
	underway := make(chan part, 4096)
	go func() {
		defer close(underway)
		for {
			buffer := make([]byte, 32<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				underway <- part{time.Now().Add(delay), buffer[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range underway {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.content); err != nil {
			break
		}
	}
	_ = to.Close()
	_, _ = io.Copy(io.Discard, from)
}
