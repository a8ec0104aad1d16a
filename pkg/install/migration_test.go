//go:build unix

package install

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/apply"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/events"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/plan"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/preflight"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// crdWith returns the CRD of a kind with the given versions ("v1*" is the storage version) and extra fields of the schema.
func crdWith(kind, conversion, versions, fields string) string {
	lower := strings.ToLower(kind)
	out := fmt.Sprintf("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: %ss.migrate.example.org}\nspec:\n"+
		"  group: migrate.example.org\n  scope: Namespaced\n  names: {kind: %s, plural: %ss, singular: %s, listKind: %sList}\n%s  versions:\n", lower, kind, lower, lower, kind, conversion)
	for _, name := range strings.Fields(versions) {
		out += fmt.Sprintf("  - name: %s\n    served: true\n    storage: %v\n    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}, text: {type: string}%s}}}}}\n",
			strings.TrimSuffix(name, "*"), strings.HasSuffix(name, "*"), fields)
	}
	return out
}

func object(kind, version, namespace, name, spec string) string {
	return fmt.Sprintf("---\napiVersion: migrate.example.org/%s\nkind: %s\nmetadata: {name: %s, namespace: %s}\nspec: {%s}\n", version, kind, name, namespace, spec)
}

func namespace(name string) string {
	return "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n"
}

func TestACustomResourceIsJudgedByTheCRDThatComesWithIt(t *testing.T) {
	client := live(t)
	before := namespace("judged") + crdAndObject("Judged", "", "size: 1")
	after := namespace("judged") + crdAndObject("Judged", ", workloadType: {type: string}", "size: 1, workloadType: model")
	mustInstallYAML(t, client, "judged", before)
	mustInstallYAML(t, client, "judged", after)
	o := get(t, client, "migrate.example.org/v1", "Judged", "judged", "a")
	if text, _, _ := unstructured.NestedString(o.Object, "spec", "workloadType"); text != "model" {
		t.Errorf("the object is %v", o.Object["spec"])
	}
	invalid := namespace("judged") + crdAndObject("Judged", ", workloadType: {type: string}, more: {type: string}", "size: 1, workloadType: 7")
	started := time.Now()
	if _, err := installYAML(t, client, "judged", invalid, apply.Options{}); err == nil || !strings.Contains(err.Error(), "workloadType") {
		t.Errorf("an object that its new CRD refuses: %v", err)
	} else if took := time.Since(started); took > time.Minute {
		t.Errorf("it was reported after %s", took)
	}
}

func crdAndObject(kind, fields, spec string) string {
	return "---\n" + crdWith(kind, "", "v1*", fields) + object(kind, "v1", strings.ToLower(kind), "a", spec)
}

func TestABindingWithAnotherRoleIsRecreatedWithoutAFlag(t *testing.T) {
	client := live(t)
	with := func(role string) string {
		return namespace("bound") + "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: bound}\n" +
			"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: " + role + "}\nsubjects: [{kind: ServiceAccount, name: a, namespace: bound}]\n"
	}
	mustInstallYAML(t, client, "bound", with("view"))
	mustInstallYAML(t, client, "bound", with("edit"))
	o := get(t, client, "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "", "bound")
	if role, _, _ := unstructured.NestedString(o.Object, "roleRef", "name"); role != "edit" {
		t.Errorf("it binds %s", role)
	}
}

func TestAConversionIsReplacedAsAWhole(t *testing.T) {
	client := live(t)
	webhook := "  conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {service: {name: w, namespace: converted, path: /convert}}}}\n"
	mustInstallYAML(t, client, "converted", namespace("converted")+"---\n"+crdWith("Converted", webhook, "v1*", ""))
	injectCABundle(t, client, "converteds.migrate.example.org")
	mustInstallYAML(t, client, "converted", namespace("converted")+"---\n"+crdWith("Converted", "  conversion: {strategy: None}\n", "v1*", ""))
	o := get(t, client, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "converteds.migrate.example.org")
	if conversion := fmt.Sprint(o.Object["spec"].(map[string]any)["conversion"]); conversion != "map[strategy:None]" {
		t.Errorf("the conversion is %s", conversion)
	}
}

// injectCABundle does what cert-manager does to a CRD.
func injectCABundle(t *testing.T, client *cluster.Client, name string) {
	t.Helper()
	crd := get(t, client, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "", name)
	change := cluster.Edit(crd, func(o *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(o.Object, base64.StdEncoding.EncodeToString(selfSigned(t)), "spec", "conversion", "webhook", "clientConfig", "caBundle")
	})
	if _, err := client.Do(t.Context(), change, cluster.Options{Manager: "cainjector"}); err != nil {
		t.Fatal(err)
	}
}

func selfSigned(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
}

// TestStoredObjectsSurviveTheVersionTheyAreStoredIn replaces a CRD whose storage version goes, with 5,000 stored objects, is interrupted four
// times, and finishes. Had one object been left in the old version, the server could not list the kind any more.
func TestStoredObjectsSurviveTheVersionTheyAreStoredIn(t *testing.T) {
	client := live(t)
	const count = 5000
	mustInstallYAML(t, client, "stored", namespace("stored")+"---\n"+crdWith("Stored", "", "v1alpha1* v1", ""))
	createMany(t, client, count)
	before := contents(t, client, "v1alpha1")
	target := namespace("stored") + "---\n" + crdWith("Stored", "", "v1*", ", added: {type: string}") + object("Stored", "v1", "stored", "with-the-release", "size: 1, added: yes-it-is")
	reported := 0
	for _, after := range []time.Duration{300 * time.Millisecond, 3 * time.Second, 7 * time.Second, 9 * time.Second} {
		reported += interruptMigration(t, client, target, after)
	}
	if reported == 0 {
		t.Error("no run said how far it was")
	}
	started := time.Now()
	mustInstallYAML(t, client, "stored", target)
	t.Logf("%d objects were written again in %s", count, time.Since(started).Round(time.Millisecond))

	crd := get(t, client, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "storeds.migrate.example.org")
	stored, _, _ := unstructured.NestedStringSlice(crd.Object, "status", "storedVersions")
	if !slices.Equal(stored, []string{"v1"}) {
		t.Errorf("stored versions are %v", stored)
	}
	after := contents(t, client, "v1")
	delete(after, "with-the-release")
	if len(before) != count || len(after) != count {
		t.Fatalf("%d objects before, %d after", len(before), len(after))
	}
	for name, was := range before {
		if is := after[name]; is != was {
			t.Fatalf("%s was %s and is %s", name, was, is)
		}
	}
}

// interruptMigration ends a run after a time, and returns how often it said how far the migration was.
func interruptMigration(t *testing.T, client *cluster.Client, yaml string, after time.Duration) int {
	t.Helper()
	client.Forget()
	p := planFor(t, client, plan.Request{Name: "stored", Components: []release.RenderedComponent{{Name: "app", Objects: kubetest.Objects(t, []byte(yaml))}}})
	if err := preflight.Run(t.Context(), client, p); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	reported := 0
	_, err := apply.Run(ctx, client, p, apply.Options{Observe: func(e events.Event) {
		if w, ok := e.(events.StillWaiting); ok && strings.Contains(w.Why, "writing its objects again as v1: ") {
			reported++
		}
	}})
	if err == nil {
		t.Fatalf("it finished within %s", after)
	}
	return reported
}

func createMany(t *testing.T, client *cluster.Client, count int) {
	t.Helper()
	resource := client.Dynamic.Resource(schema.GroupVersionResource{Group: "migrate.example.org", Version: "v1alpha1", Resource: "storeds"}).Namespace("stored")
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(32)
	for i := range count {
		group.Go(func() error {
			o := kubetest.Objects(t, []byte(object("Stored", "v1alpha1", "stored", fmt.Sprintf("o-%d", i), fmt.Sprintf("size: %d, text: 'number %d'", i, i))))[0]
			o.SetLabels(map[string]string{"number": fmt.Sprint(i)})
			_, err := resource.Create(ctx, o, metav1.CreateOptions{FieldManager: "user"})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// contents returns every object of the kind as text, without its version, by name.
func contents(t *testing.T, client *cluster.Client, version string) map[string]string {
	t.Helper()
	list, err := client.Dynamic.Resource(schema.GroupVersionResource{Group: "migrate.example.org", Version: version, Resource: "storeds"}).Namespace("stored").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, o := range list.Items {
		text, err := json.Marshal([]any{o.Object["spec"], o.GetLabels(), o.GetUID(), o.GetCreationTimestamp(), o.GetGeneration()})
		if err != nil {
			t.Fatal(err)
		}
		out[o.GetName()] = string(text)
	}
	return out
}
