package checks

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kubetest"
)

// wholeKinds are the types of the built-in kinds, of which every field is filled.
var wholeKinds = map[schema.GroupKind]any{
	kube.PodKind: &corev1.Pod{}, kube.DeploymentKind: &appsv1.Deployment{}, kube.StatefulSetKind: &appsv1.StatefulSet{}, kube.DaemonSetKind: &appsv1.DaemonSet{},
	kube.ReplicaSetKind: &appsv1.ReplicaSet{}, kube.JobKind: &batchv1.Job{}, kube.NamespaceKind: &corev1.Namespace{}, kube.ServiceKind: &corev1.Service{},
	kube.EndpointSliceKind: &discoveryv1.EndpointSlice{}, kube.ConfigMapKind: &corev1.ConfigMap{}, kube.SecretKind: &corev1.Secret{}, kube.EventKind: &corev1.Event{},
	kube.NodeKind: &corev1.Node{}, kube.LeaseKind: &coordinationv1.Lease{}, kube.PersistentVolumeClaimKind: &corev1.PersistentVolumeClaim{}, kube.PersistentVolumeKind: &corev1.PersistentVolume{},
	kube.ResourceQuotaKind: &corev1.ResourceQuota{}, kube.StorageClassKind: &storagev1.StorageClass{}, kube.CertificateSigningRequestKind: &certificatesv1.CertificateSigningRequest{},
	kube.NetworkPolicyKind: &networkingv1.NetworkPolicy{}, kube.IngressKind: &networkingv1.Ingress{},
	kube.MutatingWebhookConfigurationKind: &admissionv1.MutatingWebhookConfiguration{}, kube.ValidatingWebhookConfigurationKind: &admissionv1.ValidatingWebhookConfiguration{},
	{Kind: "ServiceAccount"}: &corev1.ServiceAccount{},
}

// plantedObjects returns an object of each kind that checks read, with a secret at every string, and at every key that is free.
func plantedObjects(p *planter) []*unstructured.Unstructured {
	kinds := slices.Collect(maps.Keys(Kept))
	for _, c := range All() {
		kinds = append(kinds, c.Reads...)
	}
	slices.SortFunc(kinds, func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) })
	kinds = slices.Compact(kinds)
	var objects []*unstructured.Unstructured
	for _, kind := range kinds {
		if kind.Kind == "*" {
			kind.Kind = "Anything"
		}
		o := &unstructured.Unstructured{Object: map[string]any{}}
		if typed := wholeKinds[kind]; typed != nil {
			value := reflect.New(reflect.TypeOf(typed).Elem())
			p.fill(value.Elem(), kind.Kind, map[reflect.Type]int{})
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(value.Interface())
			if err != nil {
				panic(err)
			}
			o.Object = content
		}
		p.fillKept(o.Object, kind)
		metadata, _ := o.Object["metadata"].(map[string]any)
		if metadata == nil {
			metadata = map[string]any{}
			o.Object["metadata"] = metadata
		}
		p.metadata(metadata, kind.Kind)
		o.SetAPIVersion(schema.GroupVersion{Group: kind.Group, Version: "v1"}.String())
		o.SetKind(kind.Kind)
		o.SetName("planted")
		o.SetNamespace("kubeflow")
		objects = append(objects, o)
	}
	return append(objects, p.shapedObjects()...)
}

func (p *planter) metadata(m map[string]any, kind string) {
	annotations, labels := map[string]any{}, map[string]any{}
	for _, s := range kubetest.SecretShapes {
		annotations["example.com/"+p.Core(kubetest.Lower)[:6]] = p.Plant(s, kind+".metadata.annotations")
	}
	annotations["kubectl.kubernetes.io/last-applied-configuration"] = `{"data":{"password":"` + p.Next(kind+".last-applied") + `"}}`
	for _, key := range []string{"password", "app", "component", "x"} {
		labels[key] = p.Plant(kubetest.SecretShapes[0], kind+".metadata.labels")
		annotations[key] = p.Next(kind + ".metadata.annotations." + key)
	}
	labels[p.Plant(kubetest.SecretShapes[0], kind+".label key")] = "true"
	annotations[p.Plant(kubetest.SecretShapes[0], kind+".annotation key")] = "true"
	m["annotations"], m["labels"] = annotations, labels
	m["managedFields"] = []any{map[string]any{"manager": p.Plant(kubetest.SecretShapes[0], kind+".manager"), "fieldsV1": map[string]any{"f:data": map[string]any{"f:" + p.Plant(kubetest.SecretShapes[0], kind+".managedFields"): map[string]any{}}}}}
	delete(m, "creationTimestamp")
}

// fillKept puts a secret at every path that is kept and has none, and beside it.
func (p *planter) fillKept(o map[string]any, kind schema.GroupKind) {
	fields, known := Kept[kind]
	if !known {
		fields = slices.Concat(Kept[schema.GroupKind{Group: kind.Group, Kind: "*"}], []string{"spec/**"})
	}
	for _, field := range fields {
		path, form, _ := strings.Cut(field, " ")
		for _, one := range expand(path) {
			steps := strings.Split(strings.ReplaceAll(one, "**", "any/field"), "/")
			at := o
			for i, step := range steps {
				if step == "*" {
					step = p.Plant(kubetest.SecretShapes[0], kind.Kind+" key")
				}
				if i == len(steps)-1 {
					if _, there := at[step]; !there {
						at[step] = p.valueOf(form, kind.Kind+"."+one)
					}
					break
				}
				if list, ok := at[step].([]any); ok && len(list) > 0 {
					at[step] = list[0]
				}
				next, ok := at[step].(map[string]any)
				if !ok {
					next = map[string]any{}
					at[step] = next
				}
				next["unread"] = p.Next(kind.Kind + "." + one + " beside")
				at = next
			}
		}
	}
	spec, ok := o["spec"].(map[string]any)
	if !ok {
		spec = map[string]any{}
		o["spec"] = spec
	}
	for i, s := range kubetest.SecretShapes {
		spec[fmt.Sprintf("field%d", i)] = map[string]any{"list": []any{p.Plant(s, kind.Kind+".spec list")}, "text": p.Plant(s, kind.Kind+".spec text"), p.Plant(kubetest.SecretShapes[0], kind.Kind+".spec key"): p.Plant(s, kind.Kind+".spec value")}
	}
}

// valueOf returns what a field of this form holds, with secrets in it.
func (p *planter) valueOf(form, place string) any {
	switch form {
	case "labels", "resources":
		return map[string]any{p.Plant(kubetest.SecretShapes[0], place+" key"): p.Next(place)}
	case "args":
		var list []any
		for _, s := range kubetest.SecretShapes {
			list = append(list, p.Plant(s, place), "--flag", p.Plant(s, place), "--level="+p.Plant(s, place))
		}
		return list
	case "env":
		var list []any
		for i, s := range kubetest.SecretShapes {
			list = append(list, map[string]any{"name": []string{"DB_PASSWORD", "X", "LOG_LEVEL", "IMAGE", "TOKEN_PATH"}[i%5], "value": p.Plant(s, place)},
				map[string]any{"name": p.Plant(kubetest.SecretShapes[0], place+" name"), "value": "true"})
		}
		return list
	case "secret":
		data := map[string]any{p.Plant(kubetest.SecretShapes[0], place+" key"): kubetest.Base64("x")}
		for i, s := range kubetest.SecretShapes {
			data[fmt.Sprintf("key-%d", i)] = kubetest.Base64(p.Plant(s, place))
		}
		return data
	case "text", "config":
		var lines []string
		for _, s := range kubetest.SecretShapes {
			lines = append(lines, p.Plant(s, place))
		}
		return strings.Join(lines, "\n")
	}
	return p.Next(place)
}

func expand(path string) []string {
	open, end := strings.Index(path, "{"), strings.Index(path, "}")
	if open < 0 {
		return []string{path}
	}
	var all []string
	for choice := range strings.SplitSeq(path[open+1:end], ",") {
		all = append(all, expand(path[:open]+choice+path[end+1:])...)
	}
	return all
}

// shapedObjects returns objects with every shape where secrets often are.
func (p *planter) shapedObjects() []*unstructured.Unstructured {
	var objects []*unstructured.Unstructured
	add := func(kind, name string, fields map[string]any) {
		fields["apiVersion"], fields["kind"], fields["metadata"] = "v1", kind, map[string]any{"name": name, "namespace": "kubeflow"}
		objects = append(objects, &unstructured.Unstructured{Object: fields})
	}
	for i, s := range kubetest.SecretShapes {
		name := fmt.Sprintf("shape-%d", i)
		data := map[string]any{}
		for _, key := range []string{"config", "config.yaml", "artifactRepository", "oauth2_proxy.cfg", "spawner_ui_config.yaml", "mesh", "x"} {
			data[key] = p.Plant(s, "ConfigMap.data."+key)
		}
		data[p.Plant(kubetest.SecretShapes[0], "ConfigMap key")] = p.Plant(s, "ConfigMap.data")
		add("ConfigMap", name, map[string]any{"data": data, "binaryData": map[string]any{"x": kubetest.Base64(p.Plant(s, "binaryData"))}})
		add("Secret", name, map[string]any{"type": "kubernetes.io/dockerconfigjson", "data": map[string]any{".dockerconfigjson": kubetest.Base64(p.Plant(s, "Secret"))}, "stringData": map[string]any{"a": p.Plant(s, "stringData")}})
		add("Event", name, map[string]any{"involvedObject": map[string]any{"kind": "Pod", "name": "planted"}, "message": "Error: " + p.Plant(s, "Event.message"), "reason": "Failed"})
		message := func(place string) string { return p.Plant(s, "Pod.status "+place) }
		add("Pod", name, map[string]any{
			"spec": map[string]any{"containers": []any{map[string]any{
				"name": "main", "image": "busybox:1", "args": []any{"serve", p.Plant(s, "arg"), "--password", p.Plant(s, "arg after a flag"), "--x=" + p.Plant(s, "arg in a flag")}, "command": []any{"sh", "-c", p.Plant(s, "command")},
				"env": []any{map[string]any{"name": "A", "value": p.Plant(s, "env")}, map[string]any{"name": "IMAGE", "value": p.Plant(s, "env of a known name")}},
			}}},
			"status": map[string]any{"phase": "Running", "message": message("message"), "conditions": []any{map[string]any{"type": "Ready", "status": "False", "message": message("condition")}}, "containerStatuses": []any{map[string]any{
				"name": "main", "ready": false, "restartCount": int64(3), "state": map[string]any{"waiting": map[string]any{"reason": "CrashLoopBackOff", "message": message("waiting")}},
				"lastState": map[string]any{"terminated": map[string]any{"exitCode": int64(1), "message": message("terminated")}},
			}}},
		})
	}
	return objects
}

// fill puts a secret at every string of a value.
func (p *planter) fill(v reflect.Value, place string, depth map[reflect.Type]int) {
	switch x := v.Addr().Interface().(type) {
	case *metav1.Time:
		*x = metav1.NewTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		return
	case *metav1.MicroTime:
		*x = metav1.NewMicroTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		return
	case *resource.Quantity:
		*x = resource.MustParse("1")
		return
	case *intstr.IntOrString:
		*x = intstr.FromString(p.Next(place))
		return
	case *metav1.FieldsV1:
		*x = *metav1.NewFieldsV1(`{"f:x":{}}`)
		return
	case *runtime.RawExtension:
		x.Raw = []byte(`{"a":"x"}`)
		return
	}
	if depth[v.Type()] > 1 {
		return
	}
	depth[v.Type()]++
	defer func() { depth[v.Type()]-- }()
	switch v.Kind() {
	case reflect.String:
		v.SetString(p.Next(place))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		p.fill(v.Elem(), place, depth)
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if field.IsExported() {
				name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				p.fill(v.Field(i), strings.TrimSuffix(place+"."+name, "."), depth)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(p.Next(place)))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		p.fill(v.Index(0), place, depth)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		key.SetString(p.Plant(kubetest.SecretShapes[0], place+" key"))
		p.fill(value, place, depth)
		v.SetMapIndex(key, value)
	}
}

// fieldNames returns the names of all fields of the built-in kinds.
func fieldNames() []string {
	seen, types := map[string]bool{}, map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || types[t] {
			return
		}
		types[t] = true
		for i := range t.NumField() {
			if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" && name != "-" {
				seen[name] = true
			}
			walk(t.Field(i).Type)
		}
	}
	for _, typed := range wholeKinds {
		walk(reflect.TypeOf(typed))
	}
	return slices.Sorted(maps.Keys(seen))
}
