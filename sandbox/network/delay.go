package network

import (
	"errors"
	"io"
	"net"
	"time"
)

// Delay passes on every connection to listener to a server, as a long way does: each byte arrives half a round trip after it was
// sent, in both directions and however much is under way, and connecting takes one round trip. It returns when listener is closed.
func Delay(listener net.Listener, server string, roundTrip time.Duration) {
	for {
		near, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // too many open files: some will close
			continue
		}
		go func() {
			time.Sleep(roundTrip)
			far, err := net.Dial("tcp", server)
			if err != nil {
				_ = near.Close()
				return
			}
			go carry(far, near, roundTrip/2)
			carry(near, far, roundTrip/2)
		}()
	}
}

// carry copies what comes from one connection to the other, each part after the delay.
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
	for range underway { // what is still under way goes nowhere
	}
}
