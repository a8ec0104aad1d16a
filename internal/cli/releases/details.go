package releases

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// details shows releases one by one: where each comes from, its components, and what is no longer there.
func (o *releasesOptions) details(releases []release.Release, rows []releaseRow) error {
	for i, r := range releases {
		if i > 0 {
			fmt.Fprintln(o.Out)
		}
		fmt.Fprintf(o.Out, "%s\n  Kubernetes   %s (this cluster: %s)\n  sign-in      %s\n", r, r.Kubernetes, rows[i].Cluster, r.SignIn)
		for _, source := range append([]release.Source{r.Source}, r.Remotes...) {
			fmt.Fprintf(o.Out, "  source       %s\n               %s\n", source.URL, cmp.Or(source.Hash, "no hash is known: an install says so and gives the one it finds"))
		}
		fmt.Fprintln(o.Out)
		var cells [][]string
		for _, c := range r.Components {
			cells = append(cells, []string{c.Name, cmp.Or(strings.Join(c.Needs, ", "), "-")})
		}
		if err := o.Screen().Table([]string{"COMPONENT", "NEEDS"}, cells); err != nil {
			return err
		}
		if len(r.Gone) == 0 {
			continue
		}
		fmt.Fprintln(o.Out)
		cells = nil
		for _, gone := range r.Gone {
			cells = append(cells, []string{gone.Image, cmp.Or(gone.Instead, "nothing is known; a mirror of your own")})
		}
		if err := o.Screen().Table([]string{"IMAGES THAT ARE GONE", "INSTEAD"}, cells); err != nil {
			return err
		}
	}
	return nil
}
