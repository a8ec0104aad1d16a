// Package webapps simulates the backends of Kubeflow's web apps (jupyter, volumes, tensorboards) as far as a client sees who may
// list what: api/namespaces/NAMESPACE/RESOURCE answers after a SubjectAccessReview for the user in the header. A token that is too
// large for gunicorn is rejected.
//
// It follows components/crud-web-apps/common/backend/kubeflow/kubeflow/crud_backend (authz.py, errors/handlers.py) of
// kubeflow/kubeflow.
package webapps

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"k8s.io/client-go/kubernetes"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/sandbox/aks/access"
)

// resources are what the web apps list, by the last part of the path.
var resources = map[string]struct{ group, resource string }{
	"notebooks": {"kubeflow.org", "notebooks"}, "pvcs": {"", "persistentvolumeclaims"}, "tensorboards": {"tensorboard.kubeflow.org", "tensorboards"},
}

// Handler serves one web app. Pages are served by its name.
func Handler(client kubernetes.Interface, name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, rest, isAPI := strings.Cut(r.URL.Path, "/api/namespaces/")
		if !isAPI {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, "<!doctype html>\n<html><head><title>%s</title></head><body>kubeflow/%s</body></html>\n", name, name)
			return
		}
		namespace, kind, _ := strings.Cut(strings.Trim(rest, "/"), "/")
		of, known := resources[kind]
		user := r.Header.Get("kubeflow-userid")
		switch {
		case !known:
			answer(w, http.StatusNotFound, user, "not found")
			return
		case user == "":
			answer(w, http.StatusUnauthorized, user, "No user detected.")
			return
		}
		may, err := access.May(r.Context(), client, access.User{Name: user}, of.group, of.resource, "list", namespace)
		switch {
		case err != nil:
			answer(w, http.StatusInternalServerError, user, err.Error())
		case !may:
			answer(w, http.StatusForbidden, user, fmt.Sprintf("User '%s' is not authorized to list %s for namespace: %s", user, of.resource, namespace))
		default:
			answer(w, http.StatusOK, user, "")
		}
	})
}

func answer(w http.ResponseWriter, status int, user, log string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"success": status < 300, "status": status, "user": user, "log": log})
}
