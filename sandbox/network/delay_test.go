package network

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

func TestADelayedConnectionCarriesEverythingLater(t *testing.T) {
	server, front := listenOn(t), listenOn(t)
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
		}
	}()
	const roundTrip = 40 * time.Millisecond
	go Delay(front, server.Addr().String(), roundTrip)
	began := time.Now() // the delay of connecting begins when the connection is accepted
	c, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	reader := bufio.NewReader(c)
	for i := range 3 {
		fmt.Fprintf(c, "line %d\n", i)
		if got, err := reader.ReadString('\n'); err != nil || got != fmt.Sprintf("line %d\n", i) {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if took := time.Since(began); took < 4*roundTrip { // one for connecting
		t.Errorf("three answers one after the other came after %s", took)
	}
}

func TestADelayedConnectionEndsWhenTheServerIsGone(t *testing.T) {
	server, front := listenOn(t), listenOn(t)
	address := server.Addr().String()
	_ = server.Close()
	go Delay(front, address, time.Millisecond)
	c, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a server that is gone answered")
	} else if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		t.Error("the connection stayed open")
	}
}

func listenOn(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
