package releases

import "github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"

// A releaseRow is one line of "kubectl kubeflow releases".
type releaseRow struct {
	Version    string         `json:"version"`
	Kubernetes string         `json:"kubernetes"`
	SignIn     release.SignIn `json:"signIn"`
	Install    bool           `json:"installable"`
	Suits      string         `json:"suitsThisCluster"` // yes, no or unknown
	// Cluster is the compatibility with the cluster's Kubernetes: suits, too old, untested (newer than the tested
	// versions), too new (it no longer serves APIs that the release uses) or unknown.
	Cluster    string              `json:"thisCluster"`
	Installed  bool                `json:"installed"`
	Upgrade    bool                `json:"upgrade"` // an upgrade of the installed release would choose it
	Pipelines  string              `json:"pipelines"`
	Pinned     bool                `json:"pinned"`
	Source     release.Source      `json:"source"`
	Components []release.Component `json:"components"`
	Remotes    []release.Source    `json:"remotes,omitempty"`
	Gone       []release.GoneImage `json:"gone,omitempty"`
	LeftOvers  []release.LeftOver  `json:"leftOvers,omitempty"`
}

// releaseRowOf returns the row of a release; kubernetes is the version of the cluster, "" without one.
func releaseRowOf(r release.Release, kubernetes string, installed map[string]bool) releaseRow {
	row := releaseRow{
		Version: r.Version, Kubernetes: r.Kubernetes.String(), SignIn: r.SignIn, Install: r.Installable(), Suits: "unknown",
		Cluster: "unknown", Installed: installed[r.Version], Pipelines: r.Pipelines, Pinned: r.Source.Hash != "", Source: r.Source,
		Components: r.Components, Remotes: r.Remotes, Gone: r.Gone, LeftOvers: r.LeftOvers,
	}
	for from := range installed {
		if target, found := release.UpgradeFrom(from, kubernetes); found && target.Version == r.Version {
			row.Upgrade = true
		}
	}
	if kubernetes != "" {
		row.Suits = "no"
		if r.Supports(kubernetes) {
			row.Suits = "yes"
		}
		row.Cluster = r.Kubernetes.Fit(kubernetes)
	}
	return row
}

// compatibility is the value of thisCluster as the screen shows it.
func compatibility(fit string) string {
	if fit == "suits" {
		return "compatible"
	}
	return fit
}
