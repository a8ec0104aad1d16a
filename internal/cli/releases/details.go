package releases

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// details prints releases one by one: sources, components, and images that can no longer be pulled.
func (o *releasesOptions) details(releases []release.Release, rows []releaseRow) error {
	for i, r := range releases {
		if i > 0 {
			fmt.Fprintln(o.Out)
		}
		fmt.Fprintf(o.Out, "%s\n  Kubernetes       %s (this cluster: %s)\n  authentication   %s\n", r, r.Kubernetes, compatibility(rows[i].Cluster), r.SignIn)
		for _, source := range append([]release.Source{r.Source}, r.Remotes...) {
			fmt.Fprintf(o.Out, "  source           %s\n                   %s\n", source.URL, cmp.Or(source.Hash, "no pinned hash; an install reports the hash it finds"))
		}
		fmt.Fprintln(o.Out)
		var cells [][]string
		for _, c := range r.Components {
			cells = append(cells, []string{c.Name, cmp.Or(strings.Join(c.Needs, ", "), "-")})
		}
		if err := o.Screen().Table([]string{"COMPONENT", "DEPENDS ON"}, cells); err != nil {
			return err
		}
		if len(r.Gone) == 0 {
			continue
		}
		fmt.Fprintln(o.Out)
		cells = nil
		for _, gone := range r.Gone {
			cells = append(cells, []string{gone.Image, cmp.Or(gone.Instead, "no replacement known; use your own mirror")})
		}
		if err := o.Screen().Table([]string{"UNAVAILABLE IMAGE", "REPLACEMENT"}, cells); err != nil {
			return err
		}
	}
	return nil
}
