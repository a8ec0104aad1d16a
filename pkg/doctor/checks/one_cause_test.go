package checks

import (
	"slices"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

// symptoms are the checks that see that something does not work, whatever the cause.
var symptoms = []string{"installation/complete", "references/names", "controllers/conditions", "pods/crashes", "pods/ready", "workloads/available", "auth/sign-in"}

// apart finds what is wrong with objects that run: another version is not why one does not.
const apart = "upgrades/skew"

// TestNoObjectIsBlamedTwiceForOneCause runs all checks on the cluster of every case. Where one of them sees a symptom of an object, or of its
// pods, and another one finds something about it as well, one of the two is beneath the other.
func TestNoObjectIsBlamedTwiceForOneCause(t *testing.T) {
	n := 0
	eachCase(t, func(t *testing.T, c *doctor.Check, path string, a *txtar.Archive) {
		if file(a, "version") == "" {
			if testing.Short() {
				return // hundreds, each with every check
			}
			a.Files = append(a.Files, txtar.File{Name: "version", Data: []byte("v1.35.4\n")})
		}
		view, s := read(t, a)
		if s.Install != nil || s.Namespace != "" {
			return
		}
		n++
		blamed := map[cluster.Ref][]string{} // the checks with a finding of their own, by workload
		r := doctor.Diagnose(t.Context(), view, All(), doctor.Options{Settings: s})
		for _, c := range r.Checks {
			for _, f := range c.Findings {
				ref := f.About.Identity()
				if c.ID == apart || f.ExplainedBy != "" || !f.Severity.AtLeast(doctor.Warning) {
					continue
				}
				if ref.GroupKind() == kube.PodKind {
					if pod, err := view.Get(t.Context(), f.About.Ref); err == nil {
						for _, owner := range workloads.WorkloadsOf(pod) {
							ref = owner.Identity()
						}
					}
				}
				if !slices.Contains(blamed[ref], c.ID) {
					blamed[ref] = append(blamed[ref], c.ID)
				}
			}
		}
		for ref, ids := range blamed {
			if len(ids) > 1 && slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(symptoms, id) }) {
				t.Errorf("%s: %s is blamed by %v, and none explains the other", path, ref, ids)
			}
		}
	})
	t.Logf("%d cases", n)
}
