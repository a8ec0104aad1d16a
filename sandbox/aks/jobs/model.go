package jobs

import (
	"encoding/json"
	"net/http"

	corev1 "k8s.io/api/core/v1"
)

// Serves reports whether a pod serves a model.
func Serves(pod *corev1.Pod) bool {
	return pod.Labels["serving.kserve.io/inferenceservice"] != "" || pod.Labels["serving.kubeflow.org/inferenceservice"] != ""
}

// Model predicts the sum of each instance.
func Model(w http.ResponseWriter, r *http.Request) {
	var body struct{ Instances [][]float64 }
	_ = json.NewDecoder(r.Body).Decode(&body)
	predictions := []float64{}
	for _, instance := range body.Instances {
		sum := 0.0
		for _, x := range instance {
			sum += x
		}
		predictions = append(predictions, sum)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"predictions": predictions})
}
