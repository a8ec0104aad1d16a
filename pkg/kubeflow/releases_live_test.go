//go:build unix

package kubeflow_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// TestEveryReleaseInstallsToReadyAndLeavesNothing installs each release of the mirror on a cluster with the admissions enforcer: it is ready,
// the doctor finds no error, the same install again writes nothing, and an uninstall with the data leaves what was there before.
func TestEveryReleaseInstallsToReadyAndLeavesNothing(t *testing.T) {
	folder := kubetest.Mirror(t)
	for kubernetes, sources := range map[string][]kubeflow.Source{
		"1.35": {{Release: "1.8.1"}, {Release: "1.9.1"}, {Release: "1.10.2"}, {Release: "26.03"}},
		"1.21": {{File: "kfctl_istio_dex.v1.2.0.yaml"}, {File: "kfctl_azure_aad.v1.2.0.yaml"}},
	} {
		t.Run("Kubernetes "+kubernetes, func(t *testing.T) {
			client := newCluster(t, kubernetes)
			for _, source := range sources {
				before := everything(t, client)
				installSource(t, client, source, folder, true)
				removeAll(t, client)
				if left := difference(everything(t, client), before); left != "" {
					t.Errorf("%s%s leaves:\n%s", source.Release, source.File, left)
				}
			}
		})
	}
}

// TestTheFileForAzureSaysWhatItExpectsAndInstallsWithIt installs the guide's file for Azure, which expects an Istio.
func TestTheFileForAzureSaysWhatItExpectsAndInstallsWithIt(t *testing.T) {
	folder := kubetest.Mirror(t)
	client := newCluster(t, "1.21")
	source := kubeflow.Source{File: "kfctl_azure.v1.2.0.yaml"}
	plan, err := kubeflow.PrepareInstall(t.Context(), client.Client, kubeflow.InstallOptions{Source: fromMirror(t, source, folder)})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Refused == nil || !strings.Contains(fmt.Sprint(plan.Refused), "networking.istio.io") {
		t.Fatalf("without Istio: %v", plan.Refused)
	}
	installSource(t, client, kubeflow.Source{Release: "1.2.0", Only: []string{"istio-stack"}, Name: "istio"}, folder, false)
	installSource(t, client, source, folder, false)
}

// installSource installs a source, and again; judged asks the doctor as well.
func installSource(t *testing.T, client testCluster, source kubeflow.Source, folder string, judged bool) {
	t.Helper()
	source = fromMirror(t, source, folder)
	for round := range 2 {
		client.Forget()
		plan, err := kubeflow.PrepareInstall(t.Context(), client.Client, kubeflow.InstallOptions{Source: source})
		if err != nil {
			t.Fatal(err)
		}
		if round == 1 {
			if plan.Writes() != 0 {
				t.Errorf("%s%s again writes %d objects: %v", source.Release, source.File, plan.Writes(), plan.Steps())
			}
			return
		}
		if _, err := plan.Apply(t.Context(), kubeflow.InstallApplyOptions{Timeout: 8 * time.Minute}); err != nil {
			t.Fatal(err)
		}
		if !judged {
			continue
		}
		report, err := plan.Settle(t.Context(), kubeflow.SettleOptions{Timeout: 2 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if found := errorsIn(report); !slices.Equal(found, faultsOf[filepath.Base(source.File)]) {
			t.Errorf("%s%s: doctor finds %v", source.Release, source.File, found)
		}
	}
}

// faultsOf are the errors that doctor rightly finds in what Kubeflow ships, by file.
var faultsOf = map[string][]string{
	"kfctl_azure_aad.v1.2.0.yaml": {"auth/sign-in: authservice asks Microsoft Entra ID for the scope groups, which it does not have"},
}

// fromMirror returns a source whose archives, and whose KfDef, come from the mirror.
func fromMirror(t *testing.T, source kubeflow.Source, folder string) kubeflow.Source {
	t.Helper()
	source.Mirror, source.SkipVerify = folder, true
	if source.File != "" && !filepath.IsAbs(source.File) {
		source.File = "https://raw.githubusercontent.com/kubeflow/manifests/v1.2.0/kfdef/" + source.File
	}
	return source
}

func removeAll(t *testing.T, client testCluster) {
	t.Helper()
	client.Forget()
	plan, err := kubeflow.PrepareUninstall(t.Context(), client.Client, kubeflow.UninstallOptions{DeleteData: true})
	if err == nil {
		_, err = plan.Apply(t.Context(), kubeflow.UninstallApplyOptions{Timeout: 5 * time.Minute, DeleteDataOf: plan.Cluster()})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// everything returns every object that a person or a program created, as "resource namespace/name". What Kubernetes makes of them is left out.
func everything(t *testing.T, client testCluster) []string {
	t.Helper()
	made := []string{"events", "leases", "endpoints", "endpointslices", "pods", "replicasets", "controllerrevisions", "nodes", "csinodes", "persistentvolumes", "componentstatuses",
		"apiservices", "ipaddresses", "servicecidrs", "flowschemas", "prioritylevelconfigurations", "volumeattachments"}
	_, lists, err := client.Kube.Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list.APIResources {
			if strings.Contains(r.Name, "/") || !slices.Contains(r.Verbs, "list") || !slices.Contains(r.Verbs, "delete") || slices.Contains(made, r.Name) {
				continue
			}
			objects, err := client.Dynamic.Resource(gv.WithResource(r.Name)).List(t.Context(), metav1.ListOptions{})
			if err != nil {
				continue // its CRD was deleted meanwhile
			}
			for _, o := range objects.Items {
				if name := o.GetName(); name != "kube-root-ca.crt" && name != "istio-ca-root-cert" && !(r.Name == "serviceaccounts" && name == "default") && o.GetLabels()["kubernetes.io/bootstrapping"] == "" {
					seen[r.Name+" "+o.GetNamespace()+"/"+name] = true
				}
			}
		}
	}
	var out []string
	for line := range seen {
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}
