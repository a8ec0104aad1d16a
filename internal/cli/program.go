package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set when a release is built (see .goreleaser.yaml).
var version = ""

// PluginVersion returns the version of this program: of the release, or the one that Go recorded in a build from source.
func PluginVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func userAgent() string {
	return fmt.Sprintf("kubectl-kubeflow/%s (%s/%s)", PluginVersion(), runtime.GOOS, runtime.GOARCH)
}
