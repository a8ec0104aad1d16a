package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor/checks/workloads"
)

var DefaultClass = &doctor.Check{
	ID:    "storage/default-class",
	Title: "A default StorageClass exists",
	Why: "Kubeflow's PVCs (MySQL, the object store, Katib's database) name no StorageClass, and rely on the cluster's default. Without a " +
		"default their volumes are never provisioned, and the pods that need them stay Pending.",
	FixNote: "install sets the StorageClass on the PVCs before they are applied, if it is clear which one. On a cluster, --fix marks that class " +
		"as the default, and PVCs that are waiting for one use it. AKS may revert changes to its own classes: your own class, marked as " +
		"default, persists.",
	Sources:   []string{"https://learn.microsoft.com/azure/aks/concepts-storage"},
	Reads:     []schema.GroupKind{kube.PersistentVolumeClaimKind, kube.StorageClassKind, kube.PodKind, kube.NamespaceKind},
	Writes:    []doctor.Write{{Kind: kube.StorageClassKind, Fields: []string{"/metadata/annotations/storageclass.kubernetes.io~1is-default-class"}, Edit: markDefault}},
	Preflight: true,
	Run:       runDefaultClass,
}

// The texts of the findings.
const (
	noDefaultMessage       = "no default StorageClass for %s: %s"
	noDefaultImpact        = "Their volumes are never provisioned, and the pods that need them stay Pending."
	noClassAdvice          = "Create a StorageClass and mark it as default."
	chooseClassAdvice      = "Choose a class for them, and mark it as default: %s."
	markDefaultFix         = "Mark StorageClass %s as default"
	setClassFix            = "Set StorageClass %s on %s"
	severalDefaultsMessage = "%d StorageClasses are marked as default: %s"
	severalDefaultsImpact  = "A PVC that names none gets the newest of them; before Kubernetes 1.26 it is rejected."
	severalDefaultsAdvice  = "Leave only one of them as the default."
)

const defaultAnnotation = "storageclass.kubernetes.io/is-default-class"

func runDefaultClass(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
	classes, err := e.List(ctx, kube.StorageClassKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	if len(classes) == 0 {
		var unknowable *cluster.ErrUnknowable
		if _, err := e.Version(ctx); errors.As(err, &unknowable) {
			return nil, doctor.Skip("there is no cluster whose StorageClasses could be read")
		}
	}
	claims, err := pvcsWithoutClass(ctx, e)
	if err != nil {
		return nil, err
	}
	noteClaims(e, classes)
	return defaultClassFindings(classes, claims), nil
}

// noteClaims says before an install which volumes it needs.
func noteClaims(e doctor.Exam, classes []*unstructured.Unstructured) {
	if e.Install == nil {
		return
	}
	var total resource.Quantity
	n := 0
	for _, o := range e.Install.Objects {
		if o.GroupVersionKind().GroupKind() != kube.PersistentVolumeClaimKind || e.Install.Ours[cluster.RefOf(o).Identity()] {
			continue
		}
		n++
		if size, err := resource.ParseQuantity(kube.Text(o.Object, "spec", "resources", "requests", "storage")); err == nil {
			total.Add(size)
		}
	}
	var defaults []string
	for _, c := range classes {
		if c.GetAnnotations()[defaultAnnotation] == "true" {
			defaults = append(defaults, c.GetName())
		}
	}
	if n > 0 && len(defaults) == 1 {
		e.Note("%s of %s in all, default StorageClass %s", text.Plural(n, "new volume"), &total, defaults[0])
	}
}

// pvcsWithoutClass returns Kubeflow's PVCs that depend on a default StorageClass.
func pvcsWithoutClass(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	claims := []*unstructured.Unstructured{}
	own := map[string]bool{}
	if e.Install != nil {
		for _, o := range e.Install.Objects {
			if o.GroupVersionKind().GroupKind() == kube.PersistentVolumeClaimKind {
				own[o.GetNamespace()+"/"+o.GetName()] = true
			}
		}
	}
	all, err := workloads.KubeflowPVCs(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		mine := own[c.GetNamespace()+"/"+c.GetName()] || e.Install == nil
		_, named, _ := unstructured.NestedString(c.Object, "spec", "storageClassName") // "" disables dynamic provisioning
		if mine && !named && c.GetAnnotations()["volume.beta.kubernetes.io/storage-class"] == "" && kube.Text(c.Object, "spec", "volumeName") == "" {
			claims = append(claims, c)
		}
	}
	return claims, nil
}

func defaultClassFindings(classes, claims []*unstructured.Unstructured) []doctor.Finding {
	defaults := slices.DeleteFunc(slices.Clone(classes), func(c *unstructured.Unstructured) bool { return c.GetAnnotations()[defaultAnnotation] != "true" })
	if len(defaults) > 1 {
		return []doctor.Finding{{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(defaults[1]), Field: "metadata.annotations"},
			Message:     fmt.Sprintf(severalDefaultsMessage, len(defaults), text.Names(defaults, text.Most, (*unstructured.Unstructured).GetName)),
			Consequence: severalDefaultsImpact,
			Advice:      severalDefaultsAdvice,
			Command:     fmt.Sprintf("kubectl annotate storageclass %s %s=false --overwrite", escape.Word(defaults[1].GetName()), defaultAnnotation),
		}}
	}
	if len(defaults) == 1 || len(claims) == 0 {
		return nil
	}
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(claims[0]), Field: "spec.storageClassName"},
		Message:     fmt.Sprintf(noDefaultMessage, text.Plural(len(claims), "PVC"), text.Names(claims, text.Most, (*unstructured.Unstructured).GetName)),
		Consequence: noDefaultImpact,
	}
	chosen := chooseClass(classes)
	if chosen == nil {
		f.Advice = noClassAdvice
		if len(classes) > 0 {
			f.Advice = fmt.Sprintf(chooseClassAdvice, text.Names(classes, text.Most, (*unstructured.Unstructured).GetName))
		}
		f.Command = fmt.Sprintf("kubectl annotate storageclass CLASS %s=true --overwrite", defaultAnnotation)
		return []doctor.Finding{f}
	}
	f.Command = fmt.Sprintf("kubectl annotate storageclass %s %s=true --overwrite", escape.Word(chosen.GetName()), defaultAnnotation)
	f.Fix = setClass(chosen, claims)
	return []doctor.Finding{f}
}

// chooseClass returns the class to use: one of the Azure Disk classes that AKS includes, or the only one.
func chooseClass(classes []*unstructured.Unstructured) *unstructured.Unstructured {
	for _, name := range []string{"managed-csi", "default", "managed"} {
		for _, c := range classes {
			if c.GetName() == name && strings.HasSuffix(kube.Text(c.Object, "provisioner"), "disk.csi.azure.com") {
				return c
			}
		}
	}
	if len(classes) == 1 && kube.Text(classes[0].Object, "provisioner") != "kubernetes.io/no-provisioner" {
		return classes[0]
	}
	return nil
}

// setClass sets the class on PVCs that are not applied yet; for existing ones it marks the class as default.
func setClass(class *unstructured.Unstructured, claims []*unstructured.Unstructured) *doctor.Fix {
	if claims[0].GetUID() != "" {
		return &doctor.Fix{Title: fmt.Sprintf(markDefaultFix, class.GetName()), Impact: doctor.Safe,
			Changes: []cluster.Change{cluster.Edit(class, markDefault)}}
	}
	fix := &doctor.Fix{Title: fmt.Sprintf(setClassFix, class.GetName(), text.Plural(len(claims), "PVC")), Impact: doctor.Safe}
	for _, c := range claims {
		fix.Changes = append(fix.Changes, cluster.Edit(c, func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(o.Object, class.GetName(), "spec", "storageClassName")
		}))
	}
	return fix
}

func markDefault(class *unstructured.Unstructured) {
	_ = unstructured.SetNestedField(class.Object, "true", "metadata", "annotations", defaultAnnotation)
}
