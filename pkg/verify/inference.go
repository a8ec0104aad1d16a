package verify

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

var inference = &Test{
	Name: "inference", Title: "A model is served and predicts",
	Checks:  []string{"pods", "platform", "mesh", "tenancy"},
	Parts:   []string{"kserve", "kfserving", "knative", "serving"},
	Uses:    []Use{Notebook},
	Applies: needs("KServe", kserveKind, kfservingKind),
	Run:     runInference,
}

var (
	kserveKind    = schema.GroupVersionKind{Group: "serving.kserve.io", Version: "v1beta1", Kind: "InferenceService"}
	kfservingKind = schema.GroupVersionKind{Group: "serving.kubeflow.org", Version: "v1beta1", Kind: "InferenceService"}
)

// model is a server that predicts the sum of what it is given, so that no model must be fetched.
const model = `import json, http.server
class Model(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(200); self.send_header("Content-Type", "application/json"); self.send_header("Content-Length", str(len(text))); self.end_headers(); self.wfile.write(text)
    def do_GET(self): self.answer({"name": "inference", "ready": True})
    def do_POST(self): self.answer({"predictions": [sum(i) for i in json.loads(self.rfile.read(int(self.headers["Content-Length"])))["instances"]]})
http.server.HTTPServer(("", 8080), Model).serve_forever()`

// runInference serves the model and asks it.
func runInference(ctx context.Context, t *T) error {
	image, err := t.Image(ctx, Notebook)
	if err != nil {
		return err
	}
	kind, err := t.firstServed(ctx, kserveKind, kfservingKind)
	if err != nil {
		return err
	}
	_, security := restricted(1000)
	security["runAsNonRoot"], security["runAsUser"] = true, int64(1000)
	made, err := t.Create(ctx, object(kind.GroupVersion().String(), kind.Kind, "inference", map[string]any{"predictor": map[string]any{
		"minReplicas": int64(1), "maxReplicas": int64(1), "containers": []any{map[string]any{
			"name": "kserve-container", "image": image, "command": []any{"python3", "-c", model}, "resources": small("256Mi"), "securityContext": security,
			"ports": []any{map[string]any{"containerPort": int64(8080), "protocol": "TCP"}},
		}},
	}}))
	if err != nil {
		return err
	}
	label := kind.Group + "/inferenceservice"
	done, err := t.await(ctx, made, outcome{good: []string{"Ready"}, pods: label + "=inference", container: "kserve-container"})
	if err != nil {
		return err
	}
	address, err := t.forwardTo(ctx, t.Namespace, map[string]string{label: "inference"}, intstr.FromInt32(8080))
	if err != nil {
		return err
	}
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	if err := t.Layer(Inside, t.predicts(ctx, client, "http://"+address)); err != nil {
		return err
	}
	t.Detail("predicted, at %s", kube.Text(done.Object, "status", "url"))
	return nil
}

// predicts asks for a prediction. 404 and 503 are failures: a route leads nowhere, or to a model that is not ready.
func (t *T) predicts(ctx context.Context, client *http.Client, base string) error {
	t.Step("asking for a prediction")
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/models/inference:predict", strings.NewReader(`{"instances": [[1, 2, 3]]}`))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := bounded.Start(response.Body, longestPage)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || !strings.Contains(string(answer), "[6") {
		return &Failure{Message: fmt.Sprintf("the model answered %d: %s", response.StatusCode, firstLine(answer))}
	}
	return nil
}
