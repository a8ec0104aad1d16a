package kfp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
)

// An API is a version of the API of Kubeflow Pipelines.
type API string

// The APIs.
const (
	V1 API = "v1beta1"
	V2 API = "v2beta1"
)

// A Client sends requests to one API server as one user. Whoever makes it gives it an HTTP client that says who that is.
type Client struct {
	HTTP *http.Client
	Base string // what comes before /apis
	API  API
	Tag  string // of the API server's image, as it says
}

// An Error is an answer that is no success.
type Error struct {
	Status  int    // of HTTP
	Message string // of the API server, or the first line of what answered in its place
	Path    string
}

func (e *Error) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("%s answered %d", e.Path, e.Status)
	}
	return fmt.Sprintf("%s answered %d: %s", e.Path, e.Status, e.Message)
}

// Denied reports whether an error says that the user is not known or not allowed.
func Denied(err error) bool {
	return status(err) == http.StatusForbidden || status(err) == http.StatusUnauthorized
}

func status(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// Discover returns a client of the newest API that the API server serves. Version 2.0.0-alpha serves an unfinished v2beta1, which
// no release offers to users.
func Discover(ctx context.Context, c *http.Client, base string) (*Client, error) {
	client := &Client{HTTP: c, Base: base}
	for _, client.API = range []API{V2, V1} {
		var health struct {
			Tag string `json:"tag_name"`
		}
		err := client.call(ctx, http.MethodGet, "healthz", nil, nil, &health)
		client.Tag = health.Tag
		switch {
		case err == nil && client.API == V2 && strings.Contains(health.Tag, "-alpha."):
		case err == nil:
			return client, nil
		case client.API == V1 || status(err) != http.StatusNotFound && status(err) != http.StatusNotImplemented:
			return nil, err
		}
	}
	return nil, errors.New("no API") // not reached: v1beta1 answers or is an error
}

// largest is more than any answer to this package's requests; a Workflow with its status may take a megabyte.
const largest = 8 << 20

func (c *Client) call(ctx context.Context, method, path string, query url.Values, body, into any) error {
	return c.callAPI(ctx, c.API, method, path, query, body, into)
}

func (c *Client) callAPI(ctx context.Context, api API, method, path string, query url.Values, body, into any) error {
	target := "/apis/" + string(api) + "/" + path
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(encoded)
	}
	full := c.Base + target
	if len(query) > 0 {
		full += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, full, sent)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := c.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := bounded.All(ctx, response.Body, largest)
	if err != nil {
		return err
	}
	if response.StatusCode < 200 || response.StatusCode >= 300 {
		return &Error{Status: response.StatusCode, Message: messageOf(answer), Path: target}
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return &Error{Status: response.StatusCode, Message: "not the API of Kubeflow Pipelines: " + firstLine(answer), Path: target}
	}
	return nil
}

// messageOf returns the message of an error. The gateway of gRPC calls it error or message, KFP error_message.
func messageOf(answer []byte) string {
	var e struct {
		Message      string `json:"message"`
		Error        any    `json:"error"`
		ErrorMessage string `json:"error_message"`
	}
	if json.Unmarshal(answer, &e) == nil {
		for _, text := range []string{e.ErrorMessage, e.Message, fmt.Sprint(e.Error)} {
			if text != "" && text != "<nil>" {
				return firstLine([]byte(text))
			}
		}
	}
	return firstLine(answer)
}

func firstLine(text []byte) string {
	const longest = 400
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return line[:min(len(line), longest)]
}
