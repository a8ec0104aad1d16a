package doctor

import (
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

// suppress takes the findings out that the user does not want to hear about, and says so.
func (r *Report) suppress(list []Suppression) {
	for i := range r.Checks {
		c := &r.Checks[i]
		before := len(c.Findings)
		c.Findings = slices.DeleteFunc(c.Findings, func(f Finding) bool {
			return slices.ContainsFunc(list, func(s Suppression) bool { return s.covers(c.ID, f.About.Ref) })
		})
		if before > 0 && len(c.Findings) == 0 {
			c.Status, c.Findings, c.Reason = OK, nil, fmt.Sprintf("%d suppressed", before)
		}
	}
}
