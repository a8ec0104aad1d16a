package checks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

var defaultClass = &doctor.Check{
	ID:    "storage/default-class",
	Title: "volumes that name no storage class get one",
	Why: "Kubeflow's volume claims (MySQL, the object store, Katib's database) name no storage class, and leave it to the cluster's default. Where the cluster has no default their volumes " +
		"are never made, and the pods that need them stay Pending.",
	Cure: "install writes the class into the claims before they are applied, where it is clear which. On a cluster --fix marks that class as the default; claims that wait for one take it. " +
		"AKS may put its own classes back as they were: a class of your own, marked as default, lasts.",
	Sources:   []string{"https://learn.microsoft.com/azure/aks/concepts-storage"},
	Reads:     []schema.GroupKind{claimKind, classKind, podKind, namespaceKind},
	Preflight: true,
	Run:       runDefaultClass,
}

const defaultAnnotation = "storageclass.kubernetes.io/is-default-class"

func runDefaultClass(ctx context.Context, e doctor.Exam) ([]doctor.Finding, error) {
	classes, err := e.List(ctx, classKind, cluster.Scope{})
	if err != nil {
		return nil, err
	}
	if len(classes) == 0 {
		var unknowable *cluster.ErrUnknowable
		if _, err := e.Version(ctx); errors.As(err, &unknowable) {
			return nil, doctor.Skip("no cluster whose storage classes could be seen")
		}
	}
	claims, err := classless(ctx, e)
	if err != nil {
		return nil, err
	}
	return judgeClasses(classes, claims), nil
}

// classless returns Kubeflow's claims that wait for a default class.
func classless(ctx context.Context, e doctor.Exam) ([]*unstructured.Unstructured, error) {
	claims := []*unstructured.Unstructured{}
	own := map[string]bool{}
	if e.Install != nil {
		for _, o := range e.Install.Objects {
			if o.GroupVersionKind().GroupKind() == claimKind {
				own[o.GetNamespace()+"/"+o.GetName()] = true
			}
		}
	}
	all, err := ownClaims(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		mine := own[c.GetNamespace()+"/"+c.GetName()] || e.Install == nil
		_, named, _ := unstructured.NestedString(c.Object, "spec", "storageClassName") // "" asks for no class at all
		if mine && !named && c.GetAnnotations()["volume.beta.kubernetes.io/storage-class"] == "" && text(c.Object, "spec", "volumeName") == "" {
			claims = append(claims, c)
		}
	}
	return claims, nil
}

func judgeClasses(classes, claims []*unstructured.Unstructured) []doctor.Finding {
	defaults := slices.DeleteFunc(slices.Clone(classes), func(c *unstructured.Unstructured) bool { return c.GetAnnotations()[defaultAnnotation] != "true" })
	if len(defaults) > 1 {
		return []doctor.Finding{{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(defaults[1]), Field: "metadata.annotations"},
			Message:     fmt.Sprintf("%d storage classes are the default: %s", len(defaults), names(defaults, (*unstructured.Unstructured).GetName)),
			Consequence: "A claim that names none gets the newest of them; before Kubernetes 1.26 it is refused.",
			Advice:      "Leave one of them the default.",
			Command:     fmt.Sprintf("kubectl annotate storageclass %s %s=false --overwrite", defaults[1].GetName(), defaultAnnotation),
		}}
	}
	if len(defaults) == 1 || len(claims) == 0 {
		return nil
	}
	f := doctor.Finding{
		Severity:    doctor.Error,
		About:       doctor.Subject{Ref: cluster.RefOf(claims[0]), Field: "spec.storageClassName"},
		Message:     fmt.Sprintf("%s no storage class, and the cluster has no default: %s", some(len(claims), "claim")+map[bool]string{true: " names", false: " name"}[len(claims) == 1], names(claims, (*unstructured.Unstructured).GetName)),
		Consequence: "Their volumes are never made, and the pods that need them stay Pending.",
	}
	chosen := chooseClass(classes)
	if chosen == nil {
		f.Advice = "Make a storage class and mark it as the default."
		if len(classes) > 0 {
			f.Advice = "Choose the class they should have, and mark it as the default: " + names(classes, (*unstructured.Unstructured).GetName) + "."
		}
		f.Command = fmt.Sprintf("kubectl annotate storageclass CLASS %s=true --overwrite", defaultAnnotation)
		return []doctor.Finding{f}
	}
	f.Command = fmt.Sprintf("kubectl annotate storageclass %s %s=true --overwrite", chosen.GetName(), defaultAnnotation)
	f.Fix = giveClass(chosen, claims)
	return []doctor.Finding{f}
}

// chooseClass returns the class that claims should have: one of Azure's disks that AKS brings, or the only one there is.
func chooseClass(classes []*unstructured.Unstructured) *unstructured.Unstructured {
	for _, name := range []string{"managed-csi", "default", "managed"} {
		for _, c := range classes {
			if c.GetName() == name && strings.HasSuffix(text(c.Object, "provisioner"), "disk.csi.azure.com") {
				return c
			}
		}
	}
	if len(classes) == 1 && text(classes[0].Object, "provisioner") != "kubernetes.io/no-provisioner" {
		return classes[0]
	}
	return nil
}

// giveClass writes the class into claims that are not on a cluster yet; for those that are it becomes the default.
func giveClass(class *unstructured.Unstructured, claims []*unstructured.Unstructured) *doctor.Fix {
	if claims[0].GetUID() != "" {
		return &doctor.Fix{Title: "Mark StorageClass " + class.GetName() + " as default", Impact: doctor.Safe,
			Changes: []cluster.Change{cluster.Edit(class, func(o *unstructured.Unstructured) {
				_ = unstructured.SetNestedField(o.Object, "true", "metadata", "annotations", defaultAnnotation)
			})}}
	}
	fix := &doctor.Fix{Title: fmt.Sprintf("Give %s storage class %s", some(len(claims), "claim"), class.GetName()), Impact: doctor.Safe}
	for _, c := range claims {
		fix.Changes = append(fix.Changes, cluster.Edit(c, func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(o.Object, class.GetName(), "spec", "storageClassName")
		}))
	}
	return fix
}
