package checks

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var fileWatches = &doctor.Check{
	ID:    "nodes/file-watches",
	Title: "the nodes let programs watch as many files as they need",
	Why: "Linux lets one user's programs watch so many files, and Kubeflow's many controllers share one user on a node. When the number is used up they end with \"too many open files\", which has nothing to do " +
		"with files that are open.",
	Cure:    "Nothing by itself: AKS lets fs.inotify.max_user_watches be set for a node pool, and not max_user_instances, which is what runs out first.",
	Sources: []string{"kubeflow/manifests#2087", "kubeflow/pipelines#9610"},
	Reads:   []schema.GroupKind{podKind, namespaceKind},
	Logs:    true,
	Run: func(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
		crashes, err := crashesAmong(ctx, e, func(*unstructured.Unstructured) bool { return true })
		if err != nil {
			return nil, err
		}
		for _, c := range crashes {
			if line := c.says("too many open files", "failed to create fsnotify watcher", "no space left on device: inotify"); line != "" {
				f := c.finding("container "+c.container+" of pod "+c.pod.GetName()+" may watch no more files on its node", line)
				f.Consequence = "It ends again and again, and so may others on that node."
				f.Advice = "Raise fs.inotify.max_user_instances (to 2280) and max_user_watches (to 1255360) by a privileged DaemonSet, or put fewer pods on each node."
				return []doctor.Finding{f}, nil
			}
		}
		return nil, nil
	},
}
