package pods

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestTheMPIOperatorCrashesOnAFlagThatItsImageNoLongerKnows(t *testing.T) {
	flags := []string{"-alsologtostderr", "--kubectl-delivery-image", "mpioperator/kubectl-delivery:latest"}
	for _, c := range []struct {
		name, image string
		command     []string
		args        []string
		crashes     bool
	}{
		{"v1.2 as shipped", "mpioperator/mpi-operator:latest", nil, flags, true},
		{"a tag left out", "docker.io/mpioperator/mpi-operator", nil, flags, true},
		{"pinned to the last v1", "mpioperator/mpi-operator:v0.2.3", nil, flags, false},
		{"the v1 program of a later image", "mpioperator/mpi-operator:0.3.0", []string{"/opt/mpi-operator.v1"}, flags, false},
		{"without the flag", "mpioperator/mpi-operator:0.8.0", nil, []string{"--lock-namespace=kubeflow"}, false},
		{"another image", "mpioperator/kubectl-delivery:latest", nil, flags, false},
	} {
		act := mpiOperator(nil, &corev1.Container{Image: c.image, Command: c.command, Args: c.args}, nil)
		if (act != nil) != c.crashes {
			t.Errorf("%s: %+v", c.name, act)
		}
		if act != nil && act.ExitCode != 2 {
			t.Errorf("%s: exit code %d", c.name, act.ExitCode)
		}
	}
}

func TestACrashingProgramRestsLongerEachTime(t *testing.T) {
	p := pod(corev1.Container{Name: "mpi-operator", Image: "mpioperator/mpi-operator:latest", Args: []string{"--kubectl-delivery-image=x"}})
	l := newLife(begin, "10.244.0.2")
	s, next := look(t, p, l, Script{}, 0)
	c := s.ContainerStatuses[0]
	if c.State.Waiting == nil || c.State.Waiting.Reason != "CrashLoopBackOff" || c.LastTerminationState.Terminated.ExitCode != 2 || c.RestartCount != 1 {
		t.Fatalf("%+v", c)
	}
	if s.Phase != corev1.PodRunning || ready(s) {
		t.Errorf("%s, ready %v", s.Phase, ready(s))
	}
	if want := begin.Add(10 * time.Second); !next.Equal(want) {
		t.Errorf("next start at %s, want %s", next, want)
	}
	s, next = look(t, p, l, Script{}, 10*time.Second)
	if got := s.ContainerStatuses[0].RestartCount; got != 2 || !next.Equal(begin.Add(30*time.Second)) {
		t.Errorf("%d restarts, next at %s", got, next)
	}
}

func TestArgoCrashesOnlyWhereTheExecutorKeyIsUnknown(t *testing.T) {
	flat := map[string]string{"containerRuntimeExecutor": "pns"}
	inner := map[string]string{"config": "{\nexecutorImage: a,\ncontainerRuntimeExecutor: docker,\n}\n"}
	for _, c := range []struct {
		name, image string
		data        map[string]string
		crashes     bool
	}{
		{"26.03 with the guide's key", "quay.io/argoproj/workflow-controller:v3.7.3", flat, true},
		{"the key inside config", "quay.io/argoproj/workflow-controller:v3.4.16", inner, true},
		{"26.03 as shipped", "quay.io/argoproj/workflow-controller:v3.7.3", map[string]string{"artifactRepository": "{}"}, false},
		{"v1.2 knows the key", "argoproj/workflow-controller:v2.3.0", inner, false},
		{"so does Argo 3.3", "gcr.io/ml-pipeline/workflow-controller:v3.3.10-license-compliance", flat, false},
	} {
		config := func(namespace, name string) *corev1.ConfigMap {
			if namespace != "kubeflow" || name != "workflow-controller-configmap" {
				t.Errorf("%s: read %s/%s", c.name, namespace, name)
			}
			return &corev1.ConfigMap{Data: c.data}
		}
		act := workflowController(pod(), &corev1.Container{Image: c.image, Args: []string{"--configmap", "workflow-controller-configmap"}}, config)
		if (act != nil) != c.crashes {
			t.Errorf("%s: %+v", c.name, act)
		}
	}
}

func TestAProgramThatRunsCrashesWhenItsConfigTurnsBadAndRecovers(t *testing.T) {
	data := map[string]string{}
	config := func(string, string) *corev1.ConfigMap { return &corev1.ConfigMap{Data: data} }
	p := pod(corev1.Container{Name: "workflow-controller", Image: "quay.io/argoproj/workflow-controller:v3.7.3"})
	l := newLife(begin, "10.244.0.2")
	at := func(after time.Duration) corev1.PodStatus {
		p.Status, _ = decide(p, l, Script{}, config, "containerd", begin.Add(after))
		return p.Status
	}
	if !ready(at(0)) {
		t.Fatal("not ready with a good ConfigMap")
	}
	data[executorKey] = "pns"
	if s := at(time.Minute); ready(s) || s.ContainerStatuses[0].LastTerminationState.Terminated.ExitCode != 1 {
		t.Fatalf("%+v", s.ContainerStatuses[0])
	}
	delete(data, executorKey)
	if ready(at(65 * time.Second)) {
		t.Error("ready while it rests")
	}
	if s := at(71 * time.Second); !ready(s) || s.ContainerStatuses[0].RestartCount != 2 {
		t.Errorf("%+v", s.ContainerStatuses[0])
	}
}
