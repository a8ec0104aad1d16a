package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

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

// SuppressAnnotation on an object lists the checks, by ID and separated by commas, whose findings about it are suppressed.
const SuppressAnnotation = "kubeflow.org/doctor-suppress"

// suppress removes the findings that are suppressed, and notes that in the report.
func (r *Report) suppress(ctx context.Context, view cluster.View, list []Suppression) {
	for i := range r.Checks {
		c := &r.Checks[i]
		asked, annotated := 0, 0
		c.Findings = slices.DeleteFunc(c.Findings, func(f Finding) bool {
			switch {
			case slices.ContainsFunc(list, func(s Suppression) bool { return s.covers(c.ID, f.About.Ref) }):
				asked++
			case suppressedBy(ctx, view, c.ID, f.About.Ref):
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

// suppressedBy reports whether the object of a finding has the annotation for a check.
func suppressedBy(ctx context.Context, view cluster.View, check string, about cluster.Ref) bool {
	o, err := view.Get(ctx, about)
	if err != nil {
		return false
	}
	for id := range strings.SplitSeq(o.GetAnnotations()[SuppressAnnotation], ",") {
		if strings.TrimSpace(id) == check {
			return true
		}
	}
	return false
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
