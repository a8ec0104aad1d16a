package appdir

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// generatedGitOps matches the files that a build may have written into gitops/; whatever else is there is the user's.
var generatedGitOps = regexp.MustCompile(`^(wave-[0-9]+/[^/]+\.yaml|(kustomization|application|flux)\.yaml)$`)

// PutGitOps replaces the generated files in gitops/, by their names in it; without files they are removed.
func (d *Dir) PutGitOps(files map[string][]byte) {
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		old, inside := strings.CutPrefix(name, gitOps+"/")
		if _, kept := files[old]; inside && !kept && generatedGitOps.MatchString(old) {
			d.drop(name)
		}
	}
	for name, content := range files {
		d.put(path.Join(gitOps, name), content)
	}
}
