package workloads

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// Some causes are visible only in the log of a container that exited. Only such logs are read, and few of them.

const (
	maxCrashes  = 10  // logs that are read
	longestLine = 200 // characters of a line
)

// A Crash is a crash-looping container and the log of its previous run.
type Crash struct {
	pod       *unstructured.Unstructured
	Container string
	lines     []string // without credentials
}

// FindCrashes returns the crash-looping containers of the selected Kubeflow pods, with their logs.
func FindCrashes(ctx context.Context, e doctor.Exam, about func(pod *unstructured.Unstructured) bool) ([]Crash, error) {
	pods, err := KubeflowPods(ctx, e)
	if err != nil {
		return nil, err
	}
	var crashes []Crash
	for _, pod := range pods {
		c, crashing := CrashingContainer(pod)
		if !crashing || !about(pod) || len(crashes) == maxCrashes {
			continue
		}
		log, err := e.Logs(ctx, cluster.RefOf(pod), cluster.LogScope{Container: c.Name, Previous: true, Lines: cluster.LogLines})
		if apierrors.IsForbidden(err) || ctx.Err() != nil {
			return nil, err
		}
		if err == nil { // the log may be gone, or the kubelet unreachable
			crashes = append(crashes, Crash{pod, c.Name, redact.Log(log, longestLine)})
		}
	}
	return crashes, nil
}

// LogLine returns the first line of the log that contains one of these texts, or "".
func (c Crash) LogLine(signs ...string) string {
	for _, line := range c.lines {
		for _, sign := range signs {
			if strings.Contains(line, sign) {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}

// Finding reports a crash whose log shows why.
func (c Crash) Finding(why, line string) doctor.Finding {
	return doctor.Finding{
		Severity: doctor.Error,
		About:    doctor.Subject{Ref: cluster.RefOf(c.pod), Field: "status.containerStatuses"},
		Message:  kube.KindName(c.pod) + " is crash-looping: " + why,
		Cause:    "The log says: " + line,
		Command:  "kubectl logs -n " + escape.Word(c.pod.GetNamespace()) + " " + escape.Word(c.pod.GetName()) + " -c " + escape.Word(c.Container) + " --previous",
	}
}
