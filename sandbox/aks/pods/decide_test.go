package pods

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var begin = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func pod(containers ...corev1.Container) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "kubeflow", UID: "1"},
		Spec:       corev1.PodSpec{RestartPolicy: corev1.RestartPolicyAlways, Containers: containers},
	}
}

func noConfig(string, string) *corev1.ConfigMap { return nil }

func look(t *testing.T, p *corev1.Pod, l *life, script Script, after time.Duration) (corev1.PodStatus, time.Time) {
	t.Helper()
	s, next := decide(p, l, script, noConfig, "containerd", begin.Add(after))
	p.Status = s
	return s, next
}

func ready(s corev1.PodStatus) bool {
	for _, c := range s.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func TestAPodWaitsForItsSlowestImageAndIsThenReady(t *testing.T) {
	script := Script{StartDelay: time.Second, Delays: map[string]time.Duration{"mysql": time.Minute}}
	p := pod(corev1.Container{Name: "a", Image: "busybox"}, corev1.Container{Name: "b", Image: "docker.io/mysql:8"})
	l := newLife(begin, "10.244.0.2")
	s, next := look(t, p, l, script, 0)
	if s.Phase != corev1.PodPending || s.PodIP != "" || s.ContainerStatuses[0].State.Waiting.Reason != "ContainerCreating" {
		t.Errorf("at first: %+v", s)
	}
	if want := begin.Add(time.Second); !next.Equal(want) {
		t.Errorf("looks again at %s, want %s", next, want)
	}
	if s, _ = look(t, p, l, script, 2*time.Second); ready(s) || s.Phase != corev1.PodRunning {
		t.Errorf("with one of two started: %s, ready %v", s.Phase, ready(s))
	}
	s, next = look(t, p, l, script, time.Minute)
	if !ready(s) || s.PodIP != "10.244.0.2" || !next.IsZero() {
		t.Errorf("with both started: ready %v, IP %s, next %s", ready(s), s.PodIP, next)
	}
}

func TestANativeSidecarRunsAmongTheInitContainers(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	p := pod(corev1.Container{Name: "main", Image: "app"})
	p.Spec.InitContainers = []corev1.Container{{Name: "istio-validation", Image: "proxyv2"}, {Name: "istio-proxy", Image: "proxyv2", RestartPolicy: &always}}
	s, _ := look(t, p, newLife(begin, ""), Script{}, 0)
	if !ready(s) {
		t.Fatalf("not ready: %+v", s.Conditions)
	}
	validation, proxy := s.InitContainerStatuses[0], s.InitContainerStatuses[1]
	if validation.State.Terminated == nil || !validation.Ready {
		t.Errorf("istio-validation: %+v", validation)
	}
	if proxy.State.Running == nil || !proxy.Ready || !*proxy.Started {
		t.Errorf("istio-proxy: %+v", proxy)
	}
}

func TestATaskCompletesAndTakesItsSidecarAlong(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	p := pod(corev1.Container{Name: "main", Image: "task"})
	p.Spec.RestartPolicy = corev1.RestartPolicyOnFailure
	p.Spec.InitContainers = []corev1.Container{{Name: "istio-proxy", Image: "proxyv2", RestartPolicy: &always}}
	l := newLife(begin, "")
	if s, next := look(t, p, l, Script{}, 0); s.Phase != corev1.PodRunning || next.IsZero() {
		t.Fatalf("phase %s, next %s", s.Phase, next)
	}
	s, next := look(t, p, l, Script{}, taskTime)
	if s.Phase != corev1.PodSucceeded || s.ContainerStatuses[0].State.Terminated.ExitCode != 0 || !next.IsZero() {
		t.Errorf("phase %s, next %s, %+v", s.Phase, next, s.ContainerStatuses[0].State)
	}
	if s.InitContainerStatuses[0].State.Terminated == nil {
		t.Errorf("the sidecar goes on: %+v", s.InitContainerStatuses[0].State)
	}
}

func TestAnImageThatCannotBePulledIsSaidSo(t *testing.T) {
	p := pod(corev1.Container{Name: "main", Image: "gcr.io/ml-pipeline/api-server:1.0.4"})
	s, next := look(t, p, newLife(begin, ""), Script{PullFailures: []string{"gcr.io/ml-pipeline/"}}, 0)
	if w := s.ContainerStatuses[0].State.Waiting; w == nil || w.Reason != "ImagePullBackOff" || s.Phase != corev1.PodPending {
		t.Errorf("%s, %+v", s.Phase, s.ContainerStatuses[0].State)
	}
	if next.IsZero() {
		t.Error("never tries again")
	}
}

func TestAHangingProgramRunsButIsNotReady(t *testing.T) {
	p := pod(corev1.Container{Name: "main", Image: "stuck:1"})
	s, _ := look(t, p, newLife(begin, ""), Script{Hanging: []string{"stuck"}}, 0)
	if s.Phase != corev1.PodRunning || ready(s) {
		t.Errorf("%s, ready %v", s.Phase, ready(s))
	}
}

func TestRunningPodsAreTakenOverAsTheyAre(t *testing.T) {
	p := pod(corev1.Container{Name: "main", Image: "app"})
	look(t, p, newLife(begin, "10.244.0.9"), Script{}, 0)
	s, _ := look(t, p, recall(p, begin.Add(time.Hour)), Script{StartDelay: time.Minute}, time.Hour)
	if !ready(s) || s.PodIP != "10.244.0.9" || !s.ContainerStatuses[0].State.Running.StartedAt.Time.Equal(begin) {
		t.Errorf("ready %v, %+v", ready(s), s.ContainerStatuses[0])
	}
}
