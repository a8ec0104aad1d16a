// Package armtest has a stand-in for Azure Resource Manager: a real HTTPS server with one subscription, which answers the calls
// of pkg/azure with what Azure answers, permits what the role in docs/azure-role.json permits and nothing else, and fails on
// demand. Its clusters go through the same states, and operations take a few requests.
package armtest

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
)

// What the server knows.
const (
	Subscription = "12345678-90ab-4cde-8f01-234567890abc"
	Caller       = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	Identity     = "11111111-2222-4333-8444-555555555555"
	Token        = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJvaWQiOiJhYWFhYWFhYS1iYmJiLTRjY2MtOGRkZC1lZWVlZWVlZWVlZWUifQ.c2lnbmF0dXJl" // of the caller
	Location     = "westeurope"
)

// A Fault is an answer instead of the server's own, to the requests that match.
type Fault struct {
	Method, Path string // Path is a part of it
	Times        int    // how often; 0 is always
	Status       int
	Code         string
	Message      string
	RetryAfter   string
	Lost         bool // the request is carried out, and its own answer lost
}

// A Server is the stand-in. Its fields are changed in [Server.Change].
type Server struct {
	URL string
	CA  string // a file with its certificate

	SubscriptionState string
	Unregistered      []string          // providers
	Restricted        map[string]string // reasons, by VM size
	Quota             map[string]int    // what is left, by family; 100 otherwise
	Offer             string            // the quotaId of the subscription
	Addresses         int               // public IP addresses that are left
	Permissions       []string          // actions of the caller's role, beside those of the role in docs
	KubeServer        string            // the API server of clusters
	KubeCA            []byte
	KubeUser          map[string]any // the user in their kubeconfigs; kubelogin's without one
	FailOperation     string         // the code with which the next operation on a cluster fails

	mu       sync.Mutex
	allowed  []string
	faults   []*Fault
	groups   map[string]map[string]any
	clusters map[string]map[string]any // by lower-case ID
	others   []map[string]any
	roles    map[string]any
	windows  map[string]any
	ops      map[string]*operation
	header   http.Header // of the request
	asked    []string
	expired  bool
	hold     *hold
	writes   int
}

// An operation changes a cluster when it has been asked for often enough.
type operation struct {
	left int
	code string // with which it fails
	end  func()
}

// operationTakes is how many requests an operation takes.
const operationTakes = 2

// A hold stops the server at one request, as if the network did, until it is released.
type hold struct {
	at    int
	after bool // the request is carried out, and its answer held
	path  string
	held  chan struct{}
	free  chan struct{}
}

// New starts a server for a test.
func New(t testing.TB, root string) *Server {
	t.Helper()
	s := &Server{SubscriptionState: "Enabled", Restricted: map[string]string{}, Quota: map[string]int{}, Addresses: 10,
		groups: map[string]map[string]any{}, clusters: map[string]map[string]any{}, roles: map[string]any{}, windows: map[string]any{}, ops: map[string]*operation{},
		KubeServer: "https://kf.example.com:443"}
	var role azure.RoleDefinition
	content, err := os.ReadFile(filepath.Join(root, "docs", "azure-role.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &role); err != nil {
		t.Fatal(err)
	}
	s.allowed = role.Actions
	server := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that a client opens ahead and does not use
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Cleanup(s.Release) // before the server waits for its requests
	s.URL, s.CA = server.URL, filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	s.KubeCA = certificate
	if err := os.WriteFile(s.CA, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// Change changes the fields between requests.
func (s *Server) Change(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// Fail adds a fault.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Expire makes every token invalid, or valid again.
func (s *Server) Expire(expired bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expired = expired
}

// Hold stops the server at the nth request from now with a part of a path, before or after it is carried out.
func (s *Server) Hold(n int, path string, after bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = &hold{at: n, path: path, after: after, held: make(chan struct{}), free: make(chan struct{})}
}

// Held returns a channel that is closed when the server is stopped.
func (s *Server) Held() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hold.held
}

// Release lets the server go on.
func (s *Server) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hold != nil {
		close(s.hold.free)
		s.hold = nil
	}
}

// Add puts a resource of others into a group, which is created if need be.
func (s *Server) Add(group, kind, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(group)
	if s.groups[key] == nil {
		s.groups[key] = map[string]any{"name": group, "location": Location}
	}
	s.others = append(s.others, map[string]any{"id": groupPath(group) + "/providers/" + kind + "/" + name, "name": name, "type": kind})
}

// Put adds a cluster of others.
func (s *Server) Put(group, name string) {
	s.Add(group, "Microsoft.Network/virtualNetworks", "vnet")
	s.mu.Lock()
	defer s.mu.Unlock()
	id := groupPath(group) + "/providers/Microsoft.ContainerService/managedClusters/" + name
	s.clusters[strings.ToLower(id)] = map[string]any{"id": id, "name": name, "location": Location, "properties": map[string]any{"provisioningState": "Succeeded"}}
}

// Remove deletes a cluster of others.
func (s *Server) Remove(group, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clusters, strings.ToLower(groupPath(group)+"/providers/Microsoft.ContainerService/managedClusters/"+name))
}

// State returns what there is, and what was written, sorted: for tests to compare.
func (s *Server) State() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, g := range s.groups {
		out = append(out, "group "+fmt.Sprint(g["name"]))
	}
	for _, c := range s.clusters {
		p := c["properties"].(map[string]any)
		out = append(out, fmt.Sprintf("cluster %v %v", c["name"], p["provisioningState"]))
	}
	for name := range s.windows {
		out = append(out, "window "+name)
	}
	for range s.roles {
		out = append(out, "role")
	}
	slices.Sort(out)
	return out
}

// Cluster returns the body of a cluster.
func (s *Server) Cluster(group, name string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.clusters[strings.ToLower(groupPath(group)+"/providers/Microsoft.ContainerService/managedClusters/"+name)])
}

// Requests returns the requests so far, each as method and path.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// Creations counts the accepted requests that create a cluster.
func (s *Server) Creations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

func groupPath(group string) string {
	return "/subscriptions/" + Subscription + "/resourceGroups/" + group
}

// FakeAz writes an az that knows the token, and nothing else, into a folder.
func FakeAz(folder string) error {
	script := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in\n\"account get-access-token \"*) echo '{\"accessToken\": %q, \"expires_on\": 4102444800, \"tokenType\": \"Bearer\"}' ;;\n*) echo \"az: unexpected: $*\" >&2; exit 1 ;;\nesac\n", Token)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "az"), []byte(script), 0o755)
}
