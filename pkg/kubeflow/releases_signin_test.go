package kubeflow_test

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/dashboard"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// The releases of the mirror, and what authenticates requests in each.
var signInOf = map[string]string{"1.2.0": dashboard.NoAuthentication, "1.8.1": "authservice", "1.9.1": "oauth2-proxy", "1.10.2": "oauth2-proxy", "26.03": "oauth2-proxy"}

// Each release has authentication as it comes, once its workloads run, and needs more than one of
// its objects for that.
func TestTheAuthenticationOfEveryReleaseIsProven(t *testing.T) {
	mirror := kubetest.Mirror(t)
	for version, want := range signInOf {
		rendered, err := release.Render(t.Context(), release.Input{Release: version}, release.RenderOptions{Mirror: mirror, SkipVerify: true, CacheDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		objects := running(t, rendered.Objects())
		got := authenticationOf(t, objects)
		if proven := want != dashboard.NoAuthentication; got.By != want || got.Proven != proven {
			t.Errorf("%s: %s (%s), want %s", version, got, got.Reason, want)
		}
		if !got.Proven {
			continue
		}
		deleted := 0
		for i, o := range objects {
			if decisive(o) {
				left := slices.Delete(slices.Clone(objects), i, i+1)
				if a := authenticationOf(t, left); !a.Proven {
					deleted++
				}
			}
		}
		if deleted < 2 {
			t.Errorf("%s: of %d objects, only %d are needed for the proof", version, len(objects), deleted)
		}
	}
}

// decisive reports whether an object is part of what authenticates requests.
func decisive(o *unstructured.Unstructured) bool {
	in := []string{"istio-system", "oauth2-proxy", "aks-istio-system"}
	kinds := []string{"AuthorizationPolicy", "RequestAuthentication", "EnvoyFilter", "ConfigMap", "Deployment", "StatefulSet", "Service", "EndpointSlice"}
	return slices.Contains(in, o.GetNamespace()) && slices.Contains(kinds, o.GetKind())
}

func authenticationOf(t *testing.T, objects []*unstructured.Unstructured) dashboard.Authentication {
	t.Helper()
	view := clusterOf(objects)
	g, err := dashboard.FindGateway(t.Context(), view)
	if err != nil {
		return dashboard.Authentication{Reason: err.Error()}
	}
	return g.Authenticate(t.Context(), view)
}

// running returns the objects as a cluster has them once all workloads run: with their statuses, the endpoints of their Services, and the
// gateway's pod.
func running(t *testing.T, rendered []*unstructured.Unstructured) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, o := range rendered {
		o = o.DeepCopy()
		o.SetUID(uuid.NewUUID())
		all = append(all, o)
		switch o.GetKind() {
		case "Deployment", "StatefulSet":
			n, found, _ := unstructured.NestedInt64(o.Object, "spec", "replicas")
			if !found {
				n = 1
			}
			o.SetGeneration(1)
			o.Object["status"] = map[string]any{
				"observedGeneration": int64(1), "replicas": n, "readyReplicas": n, "updatedReplicas": n, "availableReplicas": n, "currentReplicas": n,
				"currentRevision": "a", "updateRevision": "a", "conditions": []any{map[string]any{"type": "Available", "status": "True"}},
			}
			labels, _, _ := unstructured.NestedMap(o.Object, "spec", "template", "metadata", "labels")
			spec, _, _ := unstructured.NestedMap(o.Object, "spec", "template", "spec")
			all = append(all, &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": o.GetName() + "-0", "namespace": o.GetNamespace(), "labels": labels},
				"spec": spec, "status": map[string]any{"phase": "Running", "conditions": []any{map[string]any{"type": "Ready", "status": "True"}}},
			}})
		case "Service":
			all = append(all, &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
				"metadata":  map[string]any{"name": o.GetName() + "-x", "namespace": o.GetNamespace(), "labels": map[string]any{"kubernetes.io/service-name": o.GetName()}},
				"endpoints": []any{map[string]any{"addresses": []any{"10.1.0.9"}, "conditions": map[string]any{"ready": true}}},
			}})
		}
	}
	return all
}
