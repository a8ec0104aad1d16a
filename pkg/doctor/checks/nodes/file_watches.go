package nodes

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var FileWatches = &doctor.Check{
	ID:    "nodes/file-watches",
	Title: "inotify limits are high enough",
	Why: "Linux limits how many files a user's processes can watch (inotify), and Kubeflow's many controllers share one user on a node. " +
		"When the limit is reached, they fail with \"too many open files\", which has nothing to do with open files.",
	FixNote: "No automatic fix: on AKS a node pool can set fs.inotify.max_user_watches, but not max_user_instances, which is exhausted first.",
	Sources: []string{"kubeflow/manifests#2087", "kubeflow/pipelines#9610"},
	Reads:   []schema.GroupKind{kube.PodKind, kube.NamespaceKind},
	Logs:    true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		crashes, err := workloads.FindCrashes(ctx, e, func(*unstructured.Unstructured) bool { return true })
		if err != nil {
			return nil, err
		}
		for _, c := range crashes {
			if line := c.LogLine("too many open files", "failed to create fsnotify watcher", "no space left on device: inotify"); line != "" {
				f := c.Finding("container "+c.Container+" has reached an inotify limit of its node", line)
				f.Consequence = "It stays in CrashLoopBackOff, and other pods on that node may follow."
				f.Advice = "Raise fs.inotify.max_user_instances (to 2280) and max_user_watches (to 1255360) with a privileged DaemonSet, or run fewer pods on each node."
				return []doctor.Finding{f}, nil
			}
		}
		return nil, nil
	},
}
