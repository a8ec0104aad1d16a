package workloads

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// Some causes stand nowhere but in the log of a container that ended. Only such logs are read, and few of them.

// mostCrashes is how many crashing pods' logs are read.
const mostCrashes = 10

// A crash is a container that ends again and again, and what it logged before it ended.
type crash struct {
	pod       *unstructured.Unstructured
	Container string
	log       string
}

// CrashesAmong returns the crashes of Kubeflow's pods that a check is about, with their logs.
func CrashesAmong(ctx context.Context, e doctor.Exam, about func(pod *unstructured.Unstructured) bool) ([]crash, error) {
	pods, err := OwnPods(ctx, e)
	if err != nil {
		return nil, err
	}
	var crashes []crash
	for _, pod := range pods {
		c, crashing := CrashingContainer(pod)
		if !crashing || !about(pod) || len(crashes) == mostCrashes {
			continue
		}
		log, err := e.Logs(ctx, cluster.RefOf(pod), cluster.LogScope{Container: c.Name, Previous: true, Lines: cluster.LogLines})
		if apierrors.IsForbidden(err) || ctx.Err() != nil {
			return nil, err
		}
		if err == nil { // the kubelet may have lost it, or be away
			crashes = append(crashes, crash{pod, c.Name, log})
		}
	}
	return crashes, nil
}

// Says returns the line of the log that has one of these signs, "" when none has.
func (c crash) Says(signs ...string) string {
	for line := range strings.Lines(c.log) {
		for _, sign := range signs {
			if strings.Contains(line, sign) {
				return shortened(strings.TrimSpace(line))
			}
		}
	}
	return ""
}

// shortened cuts a line of a log that is too long to be read.
func shortened(line string) string {
	const most = 200
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return line
}

// Finding reports a crash whose log shows why.
func (c crash) Finding(why, line string) doctor.Finding {
	return doctor.Finding{
		Severity: doctor.Error,
		About:    doctor.Subject{Ref: cluster.RefOf(c.pod), Field: "status.containerStatuses"},
		Message:  kube.KindName(c.pod) + " is crash-looping: " + why,
		Cause:    "The log says: " + line,
		Command:  "kubectl logs -n " + c.pod.GetNamespace() + " " + c.pod.GetName() + " -c " + c.Container + " --previous",
	}
}
