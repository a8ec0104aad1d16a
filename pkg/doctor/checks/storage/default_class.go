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
		"default their volumes are never provisioned, and the pods that need them stay Pending. With several defaults it is chance which one a PVC gets, and on " +
		"a default of Azure Files over SMB the databases and notebooks fail, because SMB knows no owners of files.",
	FixNote: "If the default is Azure Files over SMB, --fix makes the class for disks the default instead; existing volumes stay as they are. install sets the StorageClass on the PVCs before they are applied, if it is clear which one. On a cluster, --fix marks that class " +
		"as the default, and PVCs that are waiting for one use it. AKS may revert changes to its own classes: your own class, marked as " +
		"default, persists.",
	Sources:   []string{"https://learn.microsoft.com/azure/aks/concepts-storage", "Azure/aks-engine#1494"},
	Reads:     []schema.GroupKind{kube.PersistentVolumeClaimKind, kube.StorageClassKind, kube.PodKind, kube.NamespaceKind},
	Writes:    []doctor.Write{{Kind: kube.StorageClassKind, Fields: []string{"/metadata/annotations/storageclass.kubernetes.io~1is-default-class", "/metadata/annotations/storageclass.beta.kubernetes.io~1is-default-class"}, Edit: markDefault}},
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
	smbDefaultMessage      = "the default StorageClass %s is Azure Files over SMB"
	smbDefaultImpact       = "MySQL, the object store and notebooks fail on its volumes: \"chown: Operation not permitted\"."
	smbDefaultCause        = "Files on SMB have the owner and the mode of the mount. Only protocol: nfs and Azure Disk know others."
	smbDefaultAdvice       = "Make a class for disks the default. A volume keeps its class: recreate the PVCs that use this one, after saving their data."
	diskDefaultFix         = "Make StorageClass %s the default instead of %s"
)

// Both annotations make a class the default.
const (
	defaultAnnotation     = "storageclass.kubernetes.io/is-default-class"
	betaDefaultAnnotation = "storageclass.beta.kubernetes.io/is-default-class"
)

func isDefault(class *unstructured.Unstructured) bool {
	return class.GetAnnotations()[defaultAnnotation] == "true" || class.GetAnnotations()[betaDefaultAnnotation] == "true"
}

// isSMB reports whether a class makes volumes of Azure Files over SMB, which is what it does unless it asks for NFS.
func isSMB(class *unstructured.Unstructured) bool {
	provisioner := kube.Text(class.Object, "provisioner")
	return (provisioner == "file.csi.azure.com" || provisioner == "kubernetes.io/azure-file") && !strings.EqualFold(kube.Text(class.Object, "parameters", "protocol"), "nfs")
}

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
	using := []*unstructured.Unstructured{}
	if all, err := workloads.KubeflowPVCs(ctx, e); err == nil {
		for _, c := range all {
			name := kube.Text(c.Object, "spec", "storageClassName")
			if slices.ContainsFunc(classes, func(class *unstructured.Unstructured) bool {
				return class.GetName() == name && isDefault(class) && isSMB(class)
			}) {
				using = append(using, c) // the API server has set the default on it
			}
		}
	}
	return defaultClassFindings(classes, claims, using), nil
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

func defaultClassFindings(classes, claims, using []*unstructured.Unstructured) []doctor.Finding {
	defaults := slices.DeleteFunc(slices.Clone(classes), func(c *unstructured.Unstructured) bool { return !isDefault(c) })
	if len(defaults) > 1 {
		return []doctor.Finding{{
			Severity:    doctor.Warning,
			About:       doctor.Subject{Ref: cluster.RefOf(defaults[1]), Field: "metadata.annotations"},
			Message:     fmt.Sprintf(severalDefaultsMessage, len(defaults), text.Names(defaults, text.Most, (*unstructured.Unstructured).GetName)),
			Consequence: severalDefaultsImpact,
			Advice:      severalDefaultsAdvice,
			Command:     fmt.Sprintf("kubectl annotate storageclass %s %s=false --overwrite", escape.Word(defaults[1].GetName()), escape.Word(annotationOf(defaults[1]))),
		}}
	}
	if len(defaults) == 1 && isSMB(defaults[0]) {
		return []doctor.Finding{smbFinding(defaults[0], chooseClass(classes), claims, len(claims)+len(using) > 0)}
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

// annotationOf returns the annotation that makes a class the default.
func annotationOf(class *unstructured.Unstructured) string {
	if class.GetAnnotations()[defaultAnnotation] == "true" {
		return defaultAnnotation
	}
	return betaDefaultAnnotation
}

// smbFinding reports a default class whose volumes Kubeflow's databases fail on. On PVCs that are not applied yet, another class is set.
func smbFinding(smb, disk *unstructured.Unstructured, claims []*unstructured.Unstructured, used bool) doctor.Finding {
	f := doctor.Finding{
		Severity:    doctor.Warning,
		About:       doctor.Subject{Ref: cluster.RefOf(smb), Field: "provisioner"},
		Message:     fmt.Sprintf(smbDefaultMessage, smb.GetName()),
		Consequence: smbDefaultImpact,
		Cause:       smbDefaultCause,
		Advice:      smbDefaultAdvice,
		Command:     fmt.Sprintf("kubectl annotate storageclass %s %s=false --overwrite", escape.Word(smb.GetName()), escape.Word(annotationOf(smb))),
	}
	if used {
		f.Severity = doctor.Error
	}
	if disk == nil || isSMB(disk) {
		return f
	}
	f.Command += fmt.Sprintf("\nkubectl annotate storageclass %s %s=true --overwrite", escape.Word(disk.GetName()), defaultAnnotation)
	if len(claims) > 0 && claims[0].GetUID() == "" {
		f.Fix = setClass(disk, claims)
		return f
	}
	f.Fix = &doctor.Fix{Title: fmt.Sprintf(diskDefaultFix, disk.GetName(), smb.GetName()), Impact: doctor.Safe, Changes: []cluster.Change{
		cluster.Edit(disk, markDefault),
		cluster.Edit(smb, func(o *unstructured.Unstructured) {
			for _, annotation := range []string{defaultAnnotation, betaDefaultAnnotation} {
				if o.GetAnnotations()[annotation] == "true" { // changed and not removed, so that an undo finds it
					_ = unstructured.SetNestedField(o.Object, "false", "metadata", "annotations", annotation)
				}
			}
		}),
	}}
	return f
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
