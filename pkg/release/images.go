package release

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/kfdef"
)

// Images returns the container images that objects reference, sorted and unique: of containers, in fields called
// image of any kind, in arguments and environment variables that pass one on, and in the text of ConfigMaps,
// where the notebook spawner, Katib, KServe and Argo have theirs.
func Images(objects []*unstructured.Unstructured) []string {
	found := map[string]bool{}
	for _, object := range objects {
		switch object.GetKind() {
		case "CustomResourceDefinition": // its descriptions mention images
		case "ConfigMap":
			data, _, _ := unstructured.NestedStringMap(object.Object, "data")
			for _, text := range data {
				imagesIn(text, found)
			}
		default:
			collectImages(object.Object, found)
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// collectImages walks an object's fields.
func collectImages(value any, found map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		for key, field := range value {
			text, isText := field.(string)
			switch {
			case isText && key == "image" && plainImage.MatchString(text):
				found[text] = true
			case isText && key == "value":
				passedOn(text, found)
			case key == "args" || key == "command":
				for _, argument := range kfdef.List(field) {
					text, _ := argument.(string)
					passedOn(text, found)
				}
			}
			collectImages(field, found)
		}
	case []any:
		for _, item := range value {
			collectImages(item, found)
		}
	}
}

// passedOn collects an argument or a variable's value that is an image, or ends in one as --flag=IMAGE does.
func passedOn(text string, found map[string]bool) {
	if _, after, ok := strings.Cut(text, "="); ok && strings.HasPrefix(text, "-") {
		text = after
	}
	if whole.MatchString(text) || short.MatchString(text) {
		found[text] = true
	}
}

// imagesIn finds images in a text: with their registry anywhere, without one after a key that ends in "image".
func imagesIn(text string, found map[string]bool) {
	for _, match := range inText.FindAllStringSubmatch(text, -1) {
		found[match[1]] = true
	}
	for _, match := range afterKeyImage.FindAllStringSubmatch(text, -1) {
		found[match[1]] = true
	}
}

const (
	registry     = `(?:[a-z0-9][a-z0-9-]*\.)+[a-z]{2,}(?::[0-9]+)?/`
	rest         = `[a-z0-9]+(?:[._/-]+[a-z0-9]+)*`
	imageVersion = `(?::[A-Za-z0-9_][A-Za-z0-9_.-]*(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})`
)

var (
	plainImage    = regexp.MustCompile(`^(?:` + registry + `)?` + rest + imageVersion + `?$`)
	whole         = regexp.MustCompile(`^` + registry + rest + imageVersion + `$`)
	short         = regexp.MustCompile(`^` + rest + `/` + rest + `:(?:latest|v?[0-9][A-Za-z0-9_.-]*)$`)
	inText        = regexp.MustCompile(`(?:^|[\s"'=,\[{(])(` + registry + rest + imageVersion + `)`)
	afterKeyImage = regexp.MustCompile(`(?i)image["']?\s*[:=]\s*["']?(` + `(?:` + registry + `)?` + rest + imageVersion + `)`)
)

// Pullable reports whether an image of the release can still be pulled, and returns its replacement if not.
func (r Release) Pullable(image string) (instead string, pullable bool) {
	for _, gone := range r.Gone {
		suffix, matches := gone.matches(image)
		switch {
		case !matches:
		case gone.Instead == "":
			return "", false
		case strings.HasSuffix(gone.Instead, "/"), !strings.Contains(gone.Instead[strings.LastIndex(gone.Instead, "/")+1:], ":"):
			return gone.Instead + suffix, false
		default:
			return gone.Instead, false
		}
	}
	return "", true
}

// matches reports whether an image is unavailable, and returns what follows the match: the tag, or everything after a prefix.
func (g GoneImage) matches(image string) (suffix string, ok bool) {
	rest, ok := strings.CutPrefix(image, g.Image)
	if !ok {
		return "", false
	}
	return rest, strings.HasSuffix(g.Image, "/") || rest == "" || strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, "@")
}
