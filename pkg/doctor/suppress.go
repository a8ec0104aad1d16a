package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
)

// A Suppression names findings that the user does not want to hear about: all of a check, or those about one object.
type Suppression struct {
	Check string
	About string // "Kind/namespace/name" or "Kind/name"; "" for every object
}

// ParseSuppression reads ID or ID=KIND/NS/NAME.
func ParseSuppression(text string) (Suppression, error) {
	id, about, named := strings.Cut(text, "=")
	parts := strings.Split(about, "/")
	if id == "" || named && (len(parts) < 2 || len(parts) > 3) {
		return Suppression{}, fmt.Errorf("%q is not ID or ID=KIND/NAMESPACE/NAME", text)
	}
	return Suppression{Check: id, About: about}, nil
}

func (s Suppression) covers(check string, about cluster.Ref) bool {
	return s.Check == check && (s.About == "" || strings.EqualFold(s.About, about.String()))
}

// SuppressAnnotation on an object lists the checks, by ID and separated by commas, whose findings about it are suppressed:
// all but errors about exposure and authentication.
const SuppressAnnotation = "kubeflow.org/doctor-suppress"

// suppress removes the findings that are suppressed, and notes that in the report.
func (r *Report) suppress(ctx context.Context, view cluster.View, list []Suppression) {
	annotations := r.annotations(ctx, view)
	for i := range r.Checks {
		c := &r.Checks[i]
		asked, annotated := 0, 0
		c.Findings = slices.DeleteFunc(c.Findings, func(f Finding) bool {
			switch {
			case slices.ContainsFunc(list, func(s Suppression) bool { return s.covers(c.ID, f.About.Ref) }):
				asked++
			case suppressedBy(annotations[f.About.Identity()], c.ID) && !opensCluster(c.ID, f):
				annotated++
			default:
				return false
			}
			return true
		})
		c.Reason = cmp.Or(hushed(asked, annotated), c.Reason)
		if asked+annotated > 0 && len(c.Findings) == 0 {
			c.Status, c.Findings = OK, nil
		}
	}
}

// opensCluster reports whether a finding is that others than signed-in users get in. Who may annotate an object, such as an editor of its
// namespace, does not decide that nobody hears of it: --suppress does.
func opensCluster(check string, f Finding) bool {
	area, _, _ := strings.Cut(check, "/")
	return f.Severity == Error && (area == "exposure" || area == "auth")
}

// suppressedBy reports whether an annotation names a check.
func suppressedBy(annotation, check string) bool {
	for id := range strings.SplitSeq(annotation, ",") {
		if strings.TrimSpace(id) == check {
			return true
		}
	}
	return false
}

// mostGets is how many objects of one kind are read one by one to see their annotation. Of more, all of the kind are listed.
const mostGets = 10

// annotations returns the annotation of the objects that findings are about. What may not be read has none.
func (r *Report) annotations(ctx context.Context, view cluster.View) map[cluster.Ref]string {
	about := map[schema.GroupKind]map[cluster.Ref]cluster.Ref{}
	for f := range r.findings() {
		kind := f.About.GroupKind()
		if about[kind] == nil {
			about[kind] = map[cluster.Ref]cluster.Ref{}
		}
		about[kind][f.About.Identity()] = f.About.Ref
	}
	found := map[cluster.Ref]string{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	note := func(o *unstructured.Unstructured) {
		if text := o.GetAnnotations()[SuppressAnnotation]; text != "" {
			mu.Lock()
			defer mu.Unlock()
			found[cluster.RefOf(o).Identity()] = text
		}
	}
	for kind, refs := range about {
		if len(refs) > mostGets {
			wait.Go(func() {
				list, _ := view.List(ctx, kind, cluster.Scope{Metadata: true, Keep: "metadata/annotations"})
				for _, o := range list {
					note(o)
				}
			})
			continue
		}
		for _, ref := range refs {
			wait.Go(func() {
				if o, err := view.Get(ctx, ref); err == nil {
					note(o)
				}
			})
		}
	}
	wait.Wait()
	return found
}

// hushed says how many findings are not mentioned, and why.
func hushed(asked, annotated int) string {
	switch {
	case asked+annotated == 0:
		return ""
	case annotated == 0:
		return fmt.Sprintf("%d suppressed", asked)
	case asked == 0:
		return fmt.Sprintf("%d suppressed by annotation %s", annotated, SuppressAnnotation)
	}
	return fmt.Sprintf("%d suppressed, %d of them by annotation %s", asked+annotated, annotated, SuppressAnnotation)
}
