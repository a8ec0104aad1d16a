package pipelines

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/access"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/program"
)

// A Server is the API server of Kubeflow Pipelines.
type Server struct {
	client  kubernetes.Interface
	dynamic dynamic.Interface
	program program.Program
	objects func(ctx context.Context, namespace string) (*Objects, error)
	records records
	mux     *http.ServeMux
}

// NewServer creates the API server. objects connects to the object store with the keys of a namespace.
func NewServer(client kubernetes.Interface, dynamic dynamic.Interface, factory informers.SharedInformerFactory, objects func(ctx context.Context, namespace string) (*Objects, error)) *Server {
	s := &Server{client: client, dynamic: dynamic, program: program.New(factory, system, "ml-pipeline"), objects: objects, mux: http.NewServeMux()}
	for _, api := range []string{"v1beta1", "v2beta1"} {
		for pattern, handle := range map[string]func(*request) (any, error){
			"GET healthz":                 s.healthz,
			"GET experiments":             s.listExperiments,
			"POST experiments":            s.createExperiment,
			"DELETE experiments/{id}":     s.deleteExperiment,
			"GET pipelines":               s.listPipelines,
			"GET pipelines/{id}/versions": s.listVersions,
			"GET runs":                    s.listRuns,
			"POST runs":                   s.createRun,
			"GET runs/{id}":               s.getRun,
			"DELETE runs/{id}":            s.deleteRun,
			"GET runs/{id}/nodes/{node}/artifacts/{artifact}": s.readArtifact,
		} {
			method, path, _ := strings.Cut(pattern, " ")
			s.mux.HandleFunc(method+" /apis/"+api+"/"+path, s.serve(api == "v2beta1", handle))
		}
	}
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// A request is a call of one method.
type request struct {
	*http.Request
	v2   bool
	user access.User
	body map[string]any
}

// A failure is google.rpc.Status as the gateway of gRPC returns it.
type failure struct {
	http, code int
	message    string
}

func (f *failure) Error() string { return f.message }

func (s *Server) serve(v2 bool, handle func(*request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if v2 && !s.servesV2() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		in := &request{Request: r, v2: v2}
		answer, err := s.call(in, handle)
		if err != nil {
			f, ok := err.(*failure)
			if !ok {
				f = &failure{http.StatusInternalServerError, 13, "Internal Server Error: " + err.Error()}
			}
			w.WriteHeader(f.http)
			answer = map[string]any{"error": f.message, "code": f.code, "message": f.message}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func (s *Server) call(in *request, handle func(*request) (any, error)) (any, error) {
	if in.Method == http.MethodPost {
		if err := json.NewDecoder(in.Body).Decode(&in.body); err != nil {
			return nil, &failure{http.StatusBadRequest, 3, err.Error()}
		}
	}
	if strings.HasSuffix(in.URL.Path, "/healthz") {
		return handle(in)
	}
	user, why := s.authenticate(in.Request)
	if why != "" {
		return nil, &failure{http.StatusUnauthorized, 16, "Unauthenticated: " + why}
	}
	in.user = user
	return handle(in)
}

// authenticate takes the user from the header, or from a token.
func (s *Server) authenticate(r *http.Request) (user access.User, why string) {
	header := s.program.EnvOr("KUBEFLOW_USERID_HEADER", "x-goog-authenticated-user-email")
	if value := r.Header.Get(header); value != "" {
		name, ok := strings.CutPrefix(value, s.program.EnvOr("KUBEFLOW_USERID_PREFIX", ""))
		if ok {
			return access.User{Name: name}, ""
		}
	}
	return access.Token(r.Context(), s.client, r.Header.Get("Authorization"), s.program.EnvOr("TOKEN_REVIEW_AUDIENCE", "pipelines.kubeflow.org"))
}

// authorize asks whether the user may do this in a namespace.
func (s *Server) authorize(in *request, verb, resource, namespace string) error {
	if namespace == "" {
		return &failure{http.StatusBadRequest, 3, "Invalid input error: A namespace cannot be empty in multi-user mode"}
	}
	may := false
	var err error
	if strings.HasPrefix(s.tag(), "1.0.") { // it asked kfam, which knows owners and contributors
		may = s.owns(in.Context(), in.user.Name, namespace)
	} else {
		may, err = access.May(in.Context(), s.client, in.user, "pipelines.kubeflow.org", resource, verb, namespace)
	}
	if err != nil {
		return err
	}
	if !may {
		return &failure{http.StatusForbidden, 7, fmt.Sprintf("PermissionDenied: User '%s' is not authorized with reason:  (request: &ResourceAttributes{Namespace:%s,Verb:%s,Group:pipelines.kubeflow.org,Version:v1beta1,Resource:%s,Subresource:,Name:,})",
			in.user.Name, namespace, verb, resource)}
	}
	return nil
}

// tag is the version of the program.
func (s *Server) tag() string {
	_, tag, _ := strings.Cut(s.program.Image()[strings.LastIndex(s.program.Image(), "/")+1:], ":")
	return tag
}

func (s *Server) servesV2() bool { return strings.HasPrefix(s.tag(), "2.") }

func (s *Server) healthz(*request) (any, error) {
	return map[string]any{"commit_sha": "sandbox", "tag_name": s.tag(), "multi_user": true}, nil
}

func missing(kind, id string) error {
	return &failure{http.StatusNotFound, 5, fmt.Sprintf("ResourceNotFoundError: %s %s not found", kind, id)}
}
