package sandboxtest

import (
	"os"
	"testing"

	"golang.org/x/mod/modfile"
)

// TestTheSandboxUsesTheModuleVersionsOfThePlugin holds both go.mod files together, so that Kubernetes' libraries are compiled
// once for both, which takes minutes.
func TestTheSandboxUsesTheModuleVersionsOfThePlugin(t *testing.T) {
	plugin, sandbox := required(t, "../../go.mod"), required(t, "../../sandbox/go.mod")
	for module, version := range sandbox {
		if want := plugin[module]; want != "" && want != version {
			t.Errorf("%s is %s for the sandbox and %s for the plugin: cd sandbox && go get %s@%s && go mod tidy", module, version, want, module, want)
		}
	}
}

func required(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := modfile.Parse(file, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, r := range parsed.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	return versions
}
