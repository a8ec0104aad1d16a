package pipelines

import (
	"fmt"
	"net/http"
	"strings"
)

// UI is the web server of Pipelines: it passes the API's requests on to the API server, and shows its page otherwise. reach
// returns the API server, or why the mesh does not lead there.
func UI(reach func() (http.Handler, int, string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, below := strings.CutPrefix(r.URL.Path, "/pipeline/apis/")
		if !below {
			path, below = strings.CutPrefix(r.URL.Path, "/apis/")
		}
		if !below {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<!doctype html>\n<html><head><title>Kubeflow Pipelines</title></head><body>kubeflow/ml-pipeline-ui</body></html>\n")
			return
		}
		handler, status, why := reach()
		if handler == nil {
			http.Error(w, why, status)
			return
		}
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath, r.RequestURI = "/apis/"+path, "", ""
		handler.ServeHTTP(w, r)
	})
}
