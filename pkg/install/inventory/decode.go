package inventory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/bounded"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/kube"
)

// decode reads an inventory from its ConfigMap, and accepts nothing that this program would not have written.
func decode(o *unstructured.Unstructured) (*Inventory, error) {
	name := o.GetLabels()[nameLabel]
	v := &Inventory{Name: name, Release: kube.Text(o.Object, "data", releaseKey)}
	v.Uninstalled, v.Uninstalling = kube.Text(o.Object, "data", uninstalledKey) == "true", kube.Text(o.Object, "data", uninstallingKey) == "true"
	switch {
	case name == "":
		return nil, fmt.Errorf("it does not have the label %s", nameLabel)
	case o.GetName() != namePrefix+name:
		return nil, fmt.Errorf("its label %s is not that of its name", nameLabel)
	case !releaseName.MatchString(v.Release):
		return nil, fmt.Errorf("%s is not the name of a release", releaseKey)
	}
	for key, into := range map[string]any{sourceKey: &v.Source, objectsKey: &v.Objects} {
		if err := decodeJSON(kube.Text(o.Object, "data", key), into); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	if len(v.Objects) > maxObjects {
		return nil, fmt.Errorf("%s: %d are more than %d", objectsKey, len(v.Objects), maxObjects)
	}
	for i, entry := range v.Objects {
		if what := entry.invalid(); what != "" {
			return nil, fmt.Errorf("%s: number %d has an invalid %s", objectsKey, i+1, what)
		}
	}
	if err := decodeOwned(kube.Text(o.Object, "data", ownedKey), v.Objects); err != nil {
		return nil, fmt.Errorf("%s: %w", ownedKey, err)
	}
	return v, nil
}

func decodeJSON(text string, into any) error {
	if len(text) > maxSize {
		return fmt.Errorf("%d bytes are more than %d", len(text), maxSize)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if rest, _ := bounded.Start(decoder.Buffered(), maxSize); len(bytes.TrimSpace(rest)) > 0 {
		return fmt.Errorf("it continues after its end")
	}
	return nil
}

var (
	releaseName = regexp.MustCompile(`^[0-9A-Za-z._/+-]{0,128}$`)
	kindName    = regexp.MustCompile(`^[A-Za-z][0-9A-Za-z-]{0,62}$`)
	hash        = regexp.MustCompile(`^[0-9A-Za-z_-]{0,64}$`)
)

// invalid returns the field of an entry that cannot be one of an object that was installed, "" if there is none.
func (e Entry) invalid() string {
	gv, err := schema.ParseGroupVersion(e.APIVersion)
	switch {
	case err != nil, len(validation.IsDNS1035Label(gv.Version)) > 0, gv.Group != "" && len(validation.IsDNS1123Subdomain(gv.Group)) > 0:
		return "apiVersion"
	case !kindName.MatchString(e.Kind):
		return "kind"
	case e.Namespace != "" && len(validation.IsDNS1123Label(e.Namespace)) > 0:
		return "namespace"
	case e.Name == "", len(e.Name) > 253, len(content.IsPathSegmentName(e.Name)) > 0, strings.ContainsFunc(e.Name, unicode.IsControl):
		return "name"
	case len(e.Component) > 253, strings.ContainsFunc(e.Component, unicode.IsControl):
		return "component"
	case !hash.MatchString(e.Applied), !hash.MatchString(e.Fields):
		return "hash"
	case e.Replicas < 0, e.Replicas > math.MaxInt32:
		return "number of replicas"
	}
	return ""
}
