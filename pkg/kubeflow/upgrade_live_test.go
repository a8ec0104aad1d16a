//go:build unix

package kubeflow_test

import (
	"context"
	"encoding/json"

	"fmt"

	"math/rand"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/sandboxtest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// usersOwn is what users have on a Kubeflow: two Profiles with what people make in them. It has no Secret but by name.
const usersOwn = `
apiVersion: v1
kind: Namespace
metadata: {name: team-a, labels: {app.kubernetes.io/part-of: kubeflow-profile, istio-injection: enabled}, annotations: {owner: a@example.com}}
---
apiVersion: v1
kind: Namespace
metadata: {name: team-b, labels: {app.kubernetes.io/part-of: kubeflow-profile, istio-injection: enabled}, annotations: {owner: b@example.com}}
---
apiVersion: kubeflow.org/v1
kind: Profile
metadata: {name: team-a}
spec: {owner: {kind: User, name: a@example.com}, resourceQuotaSpec: {hard: {cpu: "8"}}}
---
apiVersion: kubeflow.org/v1
kind: Profile
metadata: {name: team-b}
spec: {owner: {kind: User, name: b@example.com}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: user-c-example-com-clusterrole-edit, namespace: team-a, annotations: {role: edit, user: c@example.com}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kubeflow-edit}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: c@example.com}]
---
apiVersion: kubeflow.org/v1
kind: Notebook
metadata: {name: explore, namespace: team-a, labels: {app: explore}}
spec: {template: {spec: {containers: [{name: explore, image: "example.com/jupyter:1", resources: {requests: {cpu: "1"}}, volumeMounts: [{name: home, mountPath: /home/jovyan}]}], volumes: [{name: home, persistentVolumeClaim: {claimName: home}}]}}}
---
apiVersion: kubeflow.org/v1
kind: Notebook
metadata: {name: stopped, namespace: team-b, annotations: {kubeflow-resource-stopped: "2026-01-01T00:00:00Z"}}
spec: {template: {spec: {containers: [{name: stopped, image: "example.com/jupyter:2"}]}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: home, namespace: team-a}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}
---
apiVersion: kubeflow.org/v1alpha1
kind: PodDefault
metadata: {name: access, namespace: team-a}
spec: {desc: access, selector: {matchLabels: {access: "true"}}, env: [{name: PLACE, value: here}]}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: team-b}
spec: {predictor: {model: {modelFormat: {name: sklearn}, storageUri: "gs://example/iris"}}}
---
apiVersion: kubeflow.org/v1
kind: TFJob
metadata: {name: mnist, namespace: team-b}
spec: {tfReplicaSpecs: {Worker: {replicas: 2, restartPolicy: Never, template: {spec: {containers: [{name: tensorflow, image: "example.com/mnist:1"}]}}}}}
---
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {name: tune, namespace: team-a}
spec: {maxTrialCount: 3, parallelTrialCount: 1, objective: {type: maximize, goal: 0.9, objectiveMetricName: accuracy}, algorithm: {algorithmName: random}, parameters: [{name: lr, parameterType: double, feasibleSpace: {min: "0.1", max: "0.2"}}]}
---
apiVersion: v1
kind: Secret
metadata: {name: own, namespace: team-a}
stringData: {key: do-not-save-this}
`

// TestUpgradesKeepWhatUsersOwn upgrades real releases, one after another and over several, each with what users own in place: it is the
// same object with the same content afterwards, the doctor finds no error, and the same upgrade again writes nothing.
func TestUpgradesKeepWhatUsersOwn(t *testing.T) {
	folder := kubetest.Mirror(t)
	for _, chain := range [][]string{{"1.8.1", "1.9.1", "1.10.2", "26.03"}, {"1.8.1", "26.03"}, {"1.9.1", "26.03"}} {
		t.Run(strings.Join(chain, "-"), func(t *testing.T) {
			client := newCluster(t, "1.35")
			installRelease(t, client, chain[0], folder)
			before := createOwned(t, client)
			settings := configureSignIn(t, client)
			for _, version := range chain[1:] {
				plan := prepareUpgrade(t, client, version, folder)
				backedUp(t, plan)
				finishUpgrade(t, plan)
				sameOwned(t, client, before)
				settings.same(t, client)
				t.Logf("%s: survived %d objects of users with every field, the changed password, HTTPS on the gateway with its Certificate", version, len(before))
				if again := prepareUpgrade(t, client, version, folder); again.Writes() != 0 {
					t.Errorf("the upgrade to %s again writes %d objects: %v", version, again.Writes(), again.Steps())
				}
			}
		})
	}
}

// TestAnUpgradeKilledTenTimesEndsLikeOneThatWasNot kills the process of an upgrade at ten moments, one after another, and then lets it end.
func TestAnUpgradeKilledTenTimesEndsLikeOneThatWasNot(t *testing.T) {
	folder := kubetest.Mirror(t)
	client := newCluster(t, "1.35")
	installRelease(t, client, "1.9.1", folder)
	before := createOwned(t, client)
	settings := configureSignIn(t, client)
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	moments := rand.New(rand.NewSource(seed))
	killed := 0
	for range 10 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), upgradeTo+"=26.03", "KUBECONFIG="+client.kubeconfig, "UPGRADE_MIRROR="+folder)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3*time.Second + time.Duration(moments.Int63n(int64(12*time.Second))))
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err == nil {
			killed++
		}
		_ = cmd.Wait()
	}
	t.Logf("%d of 10 were killed before they had ended", killed)
	finishUpgrade(t, prepareUpgrade(t, client, "26.03", folder))
	sameOwned(t, client, before)
	settings.same(t, client)
	if again := prepareUpgrade(t, client, "26.03", folder); again.Writes() != 0 {
		t.Errorf("the same upgrade again writes %d objects: %v", again.Writes(), again.Steps())
	}

	whole := newCluster(t, "1.35")
	installRelease(t, whole, "1.9.1", folder)
	finishUpgrade(t, prepareUpgrade(t, whole, "26.03", folder))
	if got, want := recorded(t, client), recorded(t, whole); !slices.Equal(got, want) {
		t.Errorf("the installation that was interrupted differs:\n%s", difference(got, want))
	}
}

// upgradeTo makes the test binary run one upgrade, for the test that kills it.
const upgradeTo = "TEST_UPGRADE_TO"

// upgradeSubprocess is what TestMain runs then.
func upgradeSubprocess() int {
	flags := genericclioptions.NewConfigFlags(true).WithDiscoveryQPS(-1)
	client, err := cluster.Connect(flags)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	o := kubeflow.InstallOptions{Source: kubeflow.Source{Release: os.Getenv(upgradeTo), Mirror: os.Getenv("UPGRADE_MIRROR"), SkipVerify: true}}
	plan, err := kubeflow.PrepareUpgrade(context.Background(), client, o)
	if err == nil {
		err = carryOut(context.Background(), plan)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func carryOut(ctx context.Context, plan *kubeflow.UpgradePlan) error {
	if _, err := plan.Apply(ctx, kubeflow.InstallApplyOptions{Timeout: 8 * time.Minute}); err != nil {
		return err
	}
	report, err := plan.Settle(ctx, kubeflow.SettleOptions{Timeout: 2 * time.Minute})
	if err != nil {
		return err
	}
	if report.Worst() == doctor.Error {
		return fmt.Errorf("doctor finds errors: %v", errorsIn(report))
	}
	return nil
}

func errorsIn(report *doctor.Report) (out []string) {
	for _, c := range report.Checks {
		for _, f := range c.Findings {
			if f.Severity == doctor.Error {
				out = append(out, c.ID+": "+f.Message)
			}
		}
	}
	return out
}

// A testCluster is a sandbox of a test's own.
type testCluster struct {
	*cluster.Client
	kubeconfig string
}

func newCluster(t *testing.T, kubernetes string) testCluster {
	t.Helper()
	file, stop := sandboxtest.Start("--kubernetes="+kubernetes, "--nodes=4")
	t.Cleanup(stop)
	return testCluster{sandboxtest.Connect(t, file), file}
}

func installRelease(t *testing.T, client testCluster, version, folder string) {
	t.Helper()
	o := kubeflow.InstallOptions{Source: kubeflow.Source{Release: version, Mirror: folder, SkipVerify: true}}
	plan, err := kubeflow.PrepareInstall(t.Context(), client.Client, o)
	if err == nil {
		_, err = plan.Apply(t.Context(), kubeflow.InstallApplyOptions{Timeout: 8 * time.Minute})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func prepareUpgrade(t *testing.T, client testCluster, version, folder string) *kubeflow.UpgradePlan {
	t.Helper()
	o := kubeflow.InstallOptions{Source: kubeflow.Source{Release: version, Mirror: folder, SkipVerify: true}}
	plan, err := kubeflow.PrepareUpgrade(t.Context(), client.Client, o)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Refused != nil {
		t.Fatal(plan.Refused)
	}
	return plan
}

func finishUpgrade(t *testing.T, plan *kubeflow.UpgradePlan) {
	t.Helper()
	if err := carryOut(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
}

// backedUp checks that the backup holds every object of the users, and the value of no Secret.
func backedUp(t *testing.T, plan *kubeflow.UpgradePlan) {
	t.Helper()
	saved, err := plan.Backup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, o := range kubetest.Objects(t, []byte(usersOwn)) {
		found := slices.ContainsFunc(kubetest.Objects(t, saved.Content), func(s *unstructured.Unstructured) bool {
			return cluster.RefOf(s).Identity() == cluster.RefOf(o).Identity()
		})
		if kind := o.GetKind(); !found && kind != "Secret" && kind != "Namespace" {
			missing = append(missing, cluster.RefOf(o).String())
		}
	}
	if len(missing) > 0 || !slices.Contains(saved.Secrets, "team-a/own") || strings.Contains(string(saved.Content), "do-not-save-this") {
		t.Errorf("the backup lacks %v; Secrets are %v", missing, saved.Secrets)
	}
}

func createOwned(t *testing.T, client testCluster) map[string]*unstructured.Unstructured {
	t.Helper()
	out := map[string]*unstructured.Unstructured{}
	for _, o := range kubetest.Objects(t, []byte(usersOwn)) {
		created, err := client.Do(t.Context(), cluster.Change{Verb: cluster.Create, After: o}, cluster.Options{Manager: "user"})
		if err != nil {
			t.Fatal(err)
		}
		out[cluster.RefOf(o).String()] = created
	}
	return out
}

// sameOwned checks that each object is the one that was created, with every field that it had. A new CRD may add defaults.
func sameOwned(t *testing.T, client testCluster, before map[string]*unstructured.Unstructured) {
	t.Helper()
	client.Forget()
	for name, was := range before {
		is, err := client.View().Get(t.Context(), cluster.RefOf(was))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if is.GetUID() != was.GetUID() {
			t.Errorf("%s was created again", name)
		}
		for _, field := range []string{"spec", "data", "roleRef", "subjects"} {
			if lost := lostIn(field, was.Object[field], is.Object[field]); lost != "" {
				t.Errorf("%s: %s", name, lost)
			}
		}
		if lost := lostIn("annotations", anyMap(was.GetAnnotations()), anyMap(is.GetAnnotations())); lost != "" {
			t.Errorf("%s: %s", name, lost)
		}
	}
}

func anyMap(m map[string]string) map[string]any {
	out := map[string]any{}
	for key, value := range m {
		out[key] = value
	}
	return out
}

// lostIn returns the first field that one value has and the other has not, or has otherwise.
func lostIn(path string, was, is any) string {
	switch was := was.(type) {
	case map[string]any:
		have, _ := is.(map[string]any)
		for key, value := range was {
			if lost := lostIn(path+"."+key, value, have[key]); lost != "" {
				return lost
			}
		}
	case []any:
		have, _ := is.([]any)
		if len(have) != len(was) {
			return fmt.Sprintf("%s had %d items and has %d", path, len(was), len(have))
		}
		for i, value := range was {
			if lost := lostIn(fmt.Sprintf("%s[%d]", path, i), value, have[i]); lost != "" {
				return lost
			}
		}
	default:
		a, _ := json.Marshal(was)
		b, _ := json.Marshal(is)
		if string(a) != string(b) {
			return fmt.Sprintf("%s was %s and is %s", path, a, b)
		}
	}
	return ""
}

// recorded returns the objects of the installation as "component kind/namespace/name".
func recorded(t *testing.T, client testCluster) []string {
	t.Helper()
	all, err := inventory.List(t.Context(), client.View())
	if err != nil || len(all) != 1 {
		t.Fatalf("%d inventories: %v", len(all), err)
	}
	var out []string
	for _, e := range all[0].Objects {
		out = append(out, e.Component+" "+e.Ref.String())
	}
	slices.Sort(out)
	return out
}

func difference(got, want []string) string {
	var out strings.Builder
	for _, line := range got {
		if !slices.Contains(want, line) {
			fmt.Fprintln(&out, "+", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			fmt.Fprintln(&out, "-", line)
		}
	}
	return out.String()
}
