package verify

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/websocket"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
)

// A server is a Jupyter server, as a browser reaches it.
type server struct {
	base   string // of the gateway, or of a port-forward
	path   string // "/notebook/NAMESPACE/NAME/"
	client *http.Client
}

// status returns what the server says of itself.
func (s *server) status(ctx context.Context) (code int, text string, err error) {
	return s.call(ctx, http.MethodGet, "api/status", nil, nil)
}

func (s *server) call(ctx context.Context, method, path string, body any, into any) (code int, text string, err error) {
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return 0, "", err
		}
		sent = bytes.NewReader(encoded)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.base+s.path+path, sent)
	if err != nil {
		return 0, "", err
	}
	if method != http.MethodGet {
		token := s.xsrf(ctx)
		r.Header.Set("X-XSRFToken", token)
		r.AddCookie(&http.Cookie{Name: "_xsrf", Value: token})
	}
	response, err := s.client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	answer, err := bounded.All(r.Context(), response.Body, longestPage)
	if err != nil {
		return response.StatusCode, "", err
	}
	if into != nil && response.StatusCode < 300 {
		err = json.Unmarshal(answer, into)
	}
	return response.StatusCode, firstLine(answer), err
}

func firstLine(answer []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(answer)), "\n")
	return line[:min(len(line), 200)]
}

// xsrf returns the token that the server wants in a header and a cookie: the one that it gave with a page, or one of our own,
// which is as good, because it compares the two.
func (s *server) xsrf(ctx context.Context) string {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+s.path+"tree", nil)
	if err == nil {
		if response, err := s.client.Do(r); err == nil {
			response.Body.Close()
			for _, c := range response.Cookies() {
				if c.Name == "_xsrf" {
					return c.Value
				}
			}
		}
	}
	return rand.Text()
}

// execute starts a kernel, runs code in it, and returns what it printed.
func (s *server) execute(ctx context.Context, code string) (printed string, err error) {
	var kernel struct{ ID string }
	status, text, err := s.call(ctx, http.MethodPost, "api/kernels", map[string]any{}, &kernel)
	if err != nil {
		return "", fmt.Errorf("starting a kernel: %w", err)
	}
	if status != http.StatusCreated {
		f := &Failure{Message: fmt.Sprintf("no kernel was started: %d %s", status, text)}
		if status == http.StatusForbidden {
			f.Next = "If it names _xsrf, cookies do not reach the notebook: kubectl kubeflow doctor exposure auth"
		}
		return "", f
	}
	defer func() {
		_, _, _ = s.call(context.WithoutCancel(ctx), http.MethodDelete, "api/kernels/"+url.PathEscape(kernel.ID), nil, nil)
	}()
	conn, err := s.connect(ctx, kernel.ID)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	return run(conn, code)
}

// connect opens the websocket of a kernel, with the cookies of the session.
func (s *server) connect(ctx context.Context, kernel string) (*websocket.Conn, error) {
	target := s.base + s.path + "api/kernels/" + url.PathEscape(kernel) + "/channels"
	header := http.Header{}
	if user, ok := s.client.Transport.(inside); ok && user.user != "" {
		header.Set(userHeader, user.user)
	}
	dialer := websocket.Dialer{Jar: s.client.Jar, TLSClientConfig: transport.TLSClientConfig}
	conn, response, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(target, "http"), header)
	if errors.Is(err, websocket.ErrBadHandshake) && response != nil {
		return nil, &Failure{Message: fmt.Sprintf("the websocket of the kernel was refused with %d: something in front of the notebook does not pass websockets on", response.StatusCode)}
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to the kernel: %w", err)
	}
	conn.SetReadLimit(longestPage) // of one message
	return conn, nil
}

// A message is one of Jupyter's messages.
type message struct {
	Header       map[string]any `json:"header"`
	ParentHeader map[string]any `json:"parent_header"`
	Metadata     map[string]any `json:"metadata"`
	Content      map[string]any `json:"content"`
	Channel      string         `json:"channel"`
	Buffers      []any          `json:"buffers"`
}

// run executes code and collects what it prints, until the kernel has answered and is idle again.
func run(conn *websocket.Conn, code string) (string, error) {
	id := rand.Text()
	request := message{
		Header:       map[string]any{"msg_id": id, "msg_type": "execute_request", "username": "", "session": rand.Text(), "version": "5.3", "date": now()},
		ParentHeader: map[string]any{}, Metadata: map[string]any{}, Channel: "shell", Buffers: []any{},
		Content: map[string]any{"code": code, "silent": false, "store_history": false, "user_expressions": map[string]any{}, "allow_stdin": false, "stop_on_error": true},
	}
	if err := conn.WriteJSON(request); err != nil {
		return "", fmt.Errorf("sending the code: %w", err)
	}
	var printed strings.Builder
	answered, idle := false, false
	for !answered || !idle {
		var m message
		if err := conn.ReadJSON(&m); err != nil {
			return "", fmt.Errorf("reading from the kernel: %w", err)
		}
		state, _ := m.Content["execution_state"].(string)
		if state == "dead" || state == "restarting" || state == "autorestarting" {
			return "", &Failure{Message: "the kernel died while it ran the code", Next: "It may lack memory: read the log of the notebook's pod"}
		}
		if m.ParentHeader["msg_id"] != id {
			continue
		}
		switch m.Header["msg_type"] {
		case "stream":
			text, _ := m.Content["text"].(string)
			if printed.WriteString(text); printed.Len() > longestPage {
				return "", &Failure{Message: "the code printed more than it does"}
			}
		case "error":
			return "", &Failure{Message: fmt.Sprintf("Python failed: %v: %v", m.Content["ename"], m.Content["evalue"])}
		case "execute_reply":
			answered = true
		case "status":
			idle = state == "idle"
		}
	}
	return strings.TrimSpace(printed.String()), nil
}
