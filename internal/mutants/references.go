package mutants

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// References returns n mutants in which a reference is broken, on either side, the same for a seed. With n below 0, all of them.
func References(seed uint64, n int, objects []*unstructured.Unstructured) []Mutant {
	random := rand.New(rand.NewPCG(seed, 1))
	objects = Unique(objects)
	f := &finder{objects: objects, byName: map[string][]*unstructured.Unstructured{}, typo: func(s string) string { return typo(random, s) }}
	for _, o := range objects {
		f.byName[o.GetName()] = append(f.byName[o.GetName()], o)
	}
	for _, o := range objects {
		each(o.Object, nil, nil, func(keys []any, value any, in map[string]any) {
			f.look(leaf{object: o, keys: keys, value: value, beside: in})
		})
	}
	all := append(f.mutants, f.targets()...)
	if n < 0 {
		n = len(all)
	}
	return sample(random, n, all, func(m Mutant) string { return m.Kind + m.Before.GetKind() + shape(m.Path) })
}

// setting returns what sets a field of an object.
func setting(o *unstructured.Unstructured, value any, keys []any) func() *unstructured.Unstructured {
	return func() *unstructured.Unstructured { return with(o, value, keys) }
}

type finder struct {
	objects []*unstructured.Unstructured
	byName  map[string][]*unstructured.Unstructured
	typo    func(string) string
	mutants []Mutant
	used    map[*unstructured.Unstructured][]Place // who refers to an object by name
	keys    map[*unstructured.Unstructured]map[string][]Place
	order   []*unstructured.Unstructured
}

// coincidence matches fields whose value names nothing else, though it often equals a name.
var coincidence = regexp.MustCompile(strings.Join([]string{
	`^(kind|apiVersion|metadata\.(name|namespace|labels|generateName)|status)\b`,   // what the object is
	`^(data|binaryData|stringData)\b`,                                              // text that a program reads
	`^metadata\.annotations\.(kubectl|helm|meta|argocd|internal|deployment)\b`,     // notes of tools
	`\b(args|command|env\[\d+\]\.(value|name)|httpHeaders\[\d+\]\.value)$`,         // text for a program
	`\b(args|command)\[\d+\]$`,                                                     //
	`\b(containers|initContainers)\[\d+\]\.(name|image)$`,                          // names within the object
	`\b(volumes|volumeMounts|ports|webhooks|servers)\[\d+\]\.(port\.)?name$`,       // of volumes, ports and entries
	`\b(mountPath|subPath|compiledAdapter|compiledTemplate)$`,                      // paths, and what is built into Istio 1.3
	`\bdescription$|^spec\.descriptor\b|^spec\.exclusion\b`,                        // text for people; exclusions of what may be absent
	`^rules\[|\brules\[\d+\]\.(apiGroups|services|resources)\b`,                    // what RBAC and webhooks list: groups and patterns
	`\.template\.metadata\b|^spec\.subjects\[\d+\]\.properties\.source\.principal`, // labels of pods; users without a form
	`^spec\.(names|group|versions|version|scope|validation|additionalPrinterColumns|subresources)\b`,
}, "|"))

// look finds out whether a value refers to something.
func (f *finder) look(l leaf) {
	where := path(l.keys)
	text, isText := l.value.(string)
	if strings.HasPrefix(where, "status") {
		return
	}
	if strings.Contains(where, "objectSelector") || strings.Contains(where, "namespaceSelector") || l.object.GetKind() == "Application" || l.beside["optional"] == true {
		return // they select other objects than pods, an Application all that it consists of; what is optional may be absent
	}
	if strings.Contains(strings.ToLower(where), "selector") || strings.Contains(where, "matchLabels") {
		f.lookAtLabel(l, where)
		return
	}
	if isText && text != "" && !coincidence.MatchString(where) {
		f.lookAtName(l, where, text)
	}
	if !isText && !coincidence.MatchString(where) {
		f.lookAtPort(l, where)
	}
}

// lookAtName breaks a text that is another object's name, alone or in one of the forms in which Kubernetes and Istio write names.
func (f *finder) lookAtName(l leaf, where, text string) {
	for _, form := range nameForms {
		parts := form.FindStringSubmatch(text)
		if parts == nil {
			continue
		}
		name, namespace := parts[form.SubexpIndex("name")], ""
		if i := form.SubexpIndex("namespace"); i >= 0 {
			namespace = parts[i]
		} else if beside, ok := l.beside["namespace"].(string); ok {
			namespace = beside
		}
		target := f.named(l, name, namespace)
		if target == nil {
			continue
		}
		wrong := f.typo(name)
		f.mutants = append(f.mutants, Mutant{
			Kind: "broken name", Before: l.object, change: setting(l.object, strings.Replace(text, name, wrong, 1), l.keys), Path: where, Was: name, Now: wrong,
			Users: []Place{{l.object, where}},
		})
		if f.alone(target) {
			f.use(target, Place{l.object, where})
		}
		f.lookAtKeys(l, where, target)
		return
	}
}

var nameForms = []*regexp.Regexp{
	regexp.MustCompile(`^(?P<name>[a-z0-9.:-]+)$`),
	regexp.MustCompile(`^(?P<namespace>[a-z0-9-]+)/(?P<name>[a-z0-9.-]+)$`),
	regexp.MustCompile(`^cluster\.local/ns/(?P<namespace>[a-z0-9-]+)/sa/(?P<name>[a-z0-9-]+)$`),
	regexp.MustCompile(`^(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)(\.svc(\.cluster\.local)?)?$`),
}

// named returns the object that a name most likely stands for: of the kind that is named beside it, else in the same namespace.
func (f *finder) named(l leaf, name, namespace string) *unstructured.Unstructured {
	kind, _ := l.beside["kind"].(string)
	for _, o := range f.byName[name] {
		switch {
		case o == l.object || kind != "" && len(l.keys) > 2 && o.GetKind() != kind:
		case namespace != "" && o.GetNamespace() == namespace, o.GetNamespace() == "", namespace == "" && o.GetNamespace() == l.object.GetNamespace():
			return o
		}
	}
	return nil
}

// alone reports whether no other object could be meant by the name of this one.
func (f *finder) alone(target *unstructured.Unstructured) bool {
	for _, o := range f.byName[target.GetName()] {
		if o != target && (o.GetNamespace() == target.GetNamespace() || o.GetNamespace() == "" || target.GetNamespace() == "") {
			return false
		}
	}
	return true
}

func (f *finder) use(target *unstructured.Unstructured, by Place) {
	if f.used == nil {
		f.used = map[*unstructured.Unstructured][]Place{}
	}
	if f.used[target] == nil {
		f.order = append(f.order, target)
	}
	f.used[target] = append(f.used[target], by)
}

// lookAtKeys breaks the keys of a ConfigMap or Secret that stand beside its name.
func (f *finder) lookAtKeys(l leaf, where string, target *unstructured.Unstructured) {
	keys := map[string]bool{}
	for _, field := range []string{"data", "stringData"} {
		data, _, _ := unstructured.NestedMap(target.Object, field)
		for key := range data {
			keys[key] = true
		}
	}
	if len(keys) == 0 {
		return
	}
	above := slices.Clone(l.keys[:len(l.keys)-1])
	each(l.beside, above, nil, func(at []any, value any, _ map[string]any) {
		text, _ := value.(string)
		if len(at) == len(l.keys) && at[len(at)-1] == l.keys[len(l.keys)-1] || !keys[text] || at[len(at)-1] == "path" {
			return
		}
		wrong := f.typo(text)
		place := Place{l.object, path(at)}
		f.mutants = append(f.mutants, Mutant{Kind: "broken key", Before: l.object, change: setting(l.object, wrong, at), Path: path(at), Was: text, Now: wrong, Users: []Place{place}})
		if f.keys == nil {
			f.keys = map[*unstructured.Unstructured]map[string][]Place{}
		}
		if f.keys[target] == nil {
			f.keys[target] = map[string][]Place{}
		}
		f.keys[target][text] = append(f.keys[target][text], place)
	})
}

// lookAtPort changes a port number near the name of a Service.
func (f *finder) lookAtPort(l leaf, where string) {
	number, ok := l.value.(int64)
	key, _ := l.keys[len(l.keys)-1].(string)
	if !ok || key != "port" && key != "number" {
		return
	}
	for _, o := range f.objects {
		if o.GetKind() != "Service" || !mentions(l, o) || !slices.Contains(portsOf(o), number) {
			continue
		}
		f.mutants = append(f.mutants, Mutant{
			Kind: "broken port", Before: l.object, change: setting(l.object, number+7, l.keys), Path: where, Was: fmt.Sprint(number), Now: fmt.Sprint(number + 7),
			Users: []Place{{l.object, where}},
		})
		return
	}
}

// mentions reports whether a Service is named beside a value, or one level above it.
func mentions(l leaf, service *unstructured.Unstructured) bool {
	around := l.beside
	if len(l.keys) > 2 {
		var at any = l.object.Object
		for _, key := range l.keys[:len(l.keys)-2] {
			switch k := key.(type) {
			case string:
				at = at.(map[string]any)[k]
			case int:
				at = at.([]any)[k]
			}
		}
		if m, ok := at.(map[string]any); ok {
			around = m
		}
	}
	for _, m := range []map[string]any{l.beside, around} {
		for _, value := range m {
			text, _ := value.(string)
			if text == service.GetName() || strings.HasPrefix(text, service.GetName()+"."+service.GetNamespace()) {
				return true
			}
		}
	}
	return false
}

func portsOf(service *unstructured.Unstructured) []int64 {
	var ports []int64
	list, _, _ := unstructured.NestedSlice(service.Object, "spec", "ports")
	for _, item := range list {
		m, _ := item.(map[string]any)
		if n, ok := m["port"].(int64); ok {
			ports = append(ports, n)
		}
	}
	return ports
}

// lookAtLabel breaks a label of a selector that pods of the manifests have.
func (f *finder) lookAtLabel(l leaf, where string) {
	text, ok := l.value.(string)
	key, isKey := l.keys[len(l.keys)-1].(string)
	if !ok || !isKey {
		return
	}
	for _, o := range f.objects {
		labels, found, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "labels")
		if found && labels[key] == text && (o.GetNamespace() == l.object.GetNamespace() || l.object.GetNamespace() == "") {
			wrong := f.typo(text)
			f.mutants = append(f.mutants, Mutant{
				Kind: "broken selector", Before: l.object, change: setting(l.object, wrong, l.keys), Path: where, Was: text, Now: wrong, Users: []Place{{l.object, where}},
			})
			return
		}
	}
}

// typo exchanges two letters, or adds one, so that a name stays valid.
func typo(random *rand.Rand, s string) string {
	if len(s) > 4 && random.IntN(2) == 0 {
		i := 1 + random.IntN(len(s)-3)
		if a, b := s[i], s[i+1]; a != b && letter(a) && letter(b) {
			return s[:i] + string(b) + string(a) + s[i+2:]
		}
	}
	return s + "x"
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' }
