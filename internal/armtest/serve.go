package armtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/azure"
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if waiting := s.stop(r.URL.Path, false); waiting != nil {
		<-waiting
		return // the connection of a killed program
	}
	recorder := &answer{header: http.Header{}}
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	s.route(recorder, r, body)
	s.mu.Unlock()
	if waiting := s.stop(r.URL.Path, true); waiting != nil {
		<-waiting
		return
	}
	for key, values := range recorder.header {
		w.Header()[key] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(recorder.status)
	_, _ = w.Write(recorder.body)
}

// stop returns a channel to wait for, if the server is held at this request.
func (s *Server) stop(path string, after bool) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hold == nil || s.hold.after != after || !strings.Contains(path, s.hold.path) {
		return nil
	}
	s.hold.at--
	if s.hold.at != 0 {
		return nil
	}
	close(s.hold.held)
	return s.hold.free
}

// An answer is kept until it is sent.
type answer struct {
	header http.Header
	status int
	body   []byte
}

func (a *answer) send(status int, value any) {
	a.status = status
	if value != nil {
		a.body, _ = json.Marshal(value)
	}
}

func (a *answer) refuse(status int, code, format string, args ...any) {
	a.header.Set("x-ms-error-code", code)
	a.send(status, map[string]any{"error": map[string]any{"code": code, "message": fmt.Sprintf(format, args...)}})
}

// route holds a request against faults, the token and the role, and carries it out.
func (s *Server) route(a *answer, r *http.Request, body []byte) {
	path := r.URL.Path
	s.header = r.Header
	for _, f := range s.faults {
		if f.Times < 0 || f.Method != r.Method || !strings.Contains(path, f.Path) {
			continue
		}
		if f.Times == 1 {
			f.Times = -1
		} else if f.Times > 1 {
			f.Times--
		}
		if f.Lost {
			s.route(&answer{header: http.Header{}}, r, body)
		}
		if f.RetryAfter != "" {
			a.header.Set("Retry-After", f.RetryAfter)
		}
		a.refuse(f.Status, f.Code, "%s", f.Message)
		return
	}
	if s.expired || r.Header.Get("Authorization") != "Bearer "+Token {
		a.refuse(http.StatusUnauthorized, "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time.")
		return
	}
	call := slices.IndexFunc(azure.Calls, func(c azure.Call) bool { return c.Matches(r.Method, path) })
	if call < 0 || r.URL.Query().Get("api-version") == "" {
		a.refuse(http.StatusForbidden, "AuthorizationFailed", "%s %s is not a call that is known", r.Method, path)
		return
	}
	for _, action := range azure.Calls[call].Actions {
		if !slices.Contains(s.allowed, action) {
			a.refuse(http.StatusForbidden, "AuthorizationFailed", "The client does not have authorization to perform action '%s'.", action)
			return
		}
	}
	var sent map[string]any
	if len(body) > 0 && json.Unmarshal(body, &sent) != nil {
		a.refuse(http.StatusBadRequest, "InvalidRequestContent", "The request content is not JSON.")
		return
	}
	for _, route := range routes {
		if match := route.path.FindStringSubmatch(path); match != nil && route.method == r.Method {
			route.do(s, a, match, sent)
			return
		}
	}
	a.refuse(http.StatusNotFound, "NotFound", "%s %s", r.Method, path)
}

type route struct {
	method string
	path   *regexp.Regexp
	do     func(s *Server, a *answer, match []string, sent map[string]any)
}

const (
	inSubscription = `(?i)^/subscriptions/` + Subscription
	inGroup        = inSubscription + `/resourceGroups/([^/]+)`
	aCluster       = inGroup + `/providers/Microsoft\.ContainerService/managedClusters/([^/]+)`
)

func on(method, path string, do func(s *Server, a *answer, match []string, sent map[string]any)) route {
	return route{method, regexp.MustCompile(path + `$`), do}
}

var routes []route

func init() { // the routes and their functions refer to each other
	routes = []route{
		on("GET", `^/subscriptions`, func(s *Server, a *answer, _ []string, _ map[string]any) { a.send(200, values(s.subscription())) }),
		on("GET", inSubscription, func(s *Server, a *answer, _ []string, _ map[string]any) { a.send(200, s.subscription()) }),
		on("GET", inSubscription+`/providers/([^/]+)`, func(s *Server, a *answer, m []string, _ map[string]any) {
			state := "Registered"
			if slices.Contains(s.Unregistered, m[1]) {
				state = "NotRegistered"
			}
			a.send(200, map[string]any{"namespace": m[1], "registrationState": state})
		}),
		on("GET", inSubscription+`/providers/Microsoft\.ContainerService/locations/[^/]+/kubernetesVersions`, func(_ *Server, a *answer, _ []string, _ map[string]any) { a.send(200, versions) }),
		on("GET", inSubscription+`/providers/Microsoft\.Compute/skus`, func(s *Server, a *answer, _ []string, _ map[string]any) { a.send(200, values(s.sizes()...)) }),
		on("GET", inSubscription+`/providers/Microsoft\.Compute/locations/[^/]+/usages`, func(s *Server, a *answer, _ []string, _ map[string]any) { a.send(200, values(s.usages()...)) }),
		on("GET", inSubscription+`/providers/Microsoft\.Network/locations/[^/]+/usages`, func(s *Server, a *answer, _ []string, _ map[string]any) {
			a.send(200, values(usage("PublicIPAddresses", "Public IP Addresses", 1000, 1000-s.Addresses)))
		}),
		on("GET", inSubscription+`(?:/resourceGroups/[^/]+)?/providers/Microsoft\.Authorization/permissions`, func(s *Server, a *answer, _ []string, _ map[string]any) {
			actions := s.Permissions
			if actions == nil {
				actions = s.allowed
			}
			a.send(200, values(map[string]any{"actions": actions, "notActions": []string{}}))
		}),
		on("GET", inGroup+`/providers/Microsoft\.Network/virtualNetworks/[^/]+/subnets/([^/]+)`, func(_ *Server, a *answer, m []string, _ map[string]any) {
			a.send(200, map[string]any{"name": m[2], "properties": map[string]any{"addressPrefix": "10.240.0.0/24"}})
		}),
		on("GET", inGroup, (*Server).getGroup),
		on("PUT", inGroup, (*Server).putGroup),
		on("DELETE", inGroup, (*Server).deleteGroup),
		on("GET", inGroup+`/resources`, (*Server).listGroup),
		on("GET", inSubscription+`/providers/Microsoft\.ContainerService/managedClusters`, (*Server).listClusters),
		on("GET", inGroup+`/providers/Microsoft\.ContainerService/managedClusters`, (*Server).listClusters),
		on("GET", aCluster, (*Server).getCluster),
		on("PUT", aCluster, (*Server).putCluster),
		on("DELETE", aCluster, (*Server).deleteCluster),
		on("PUT", aCluster+`/maintenanceConfigurations/([^/]+)`, func(s *Server, a *answer, m []string, sent map[string]any) { s.windows[m[3]] = sent; a.send(200, sent) }),
		on("POST", aCluster+`/listCluster(User|Admin)Credential`, (*Server).credentials),
		on("POST", aCluster+`/(start|stop)`, (*Server).power),
		on("GET", inSubscription+`/providers/Microsoft\.ContainerService/locations/[^/]+/operations/([^/]+)`, (*Server).poll),
		on("GET", inSubscription+`/operationresults/([^/]+)`, func(s *Server, a *answer, m []string, _ map[string]any) {
			if s.advance(m[1]) {
				a.send(200, nil)
				return
			}
			s.later(a, "/operationresults/"+m[1])
			a.send(202, nil)
		}),
		on("PUT", `(.*)/providers/Microsoft\.Authorization/roleAssignments/([^/]+)`, (*Server).putRole),
	}
}

func values(all ...any) map[string]any {
	if all == nil {
		all = []any{}
	}
	return map[string]any{"value": all}
}
