package build

import (
	"fmt"
	"slices"
	"strings"
)

// A component is a Go module from which one or more programs are built.
type component struct {
	name     string   // "kubernetes"
	version  string   // "v1.35.4"
	module   string   // the files modules/<module>.mod and .sum
	packages []string // import paths of main packages; "." is the generated main.go, of a module named as the program
	main     string   // main.go of the generated module, if a package needs one
	stamps   []string // packages whose version variables the linker sets
	alone    []string // packages, besides Kubernetes', that nothing else of the sandbox or the plugin compiles
	openAPI  bool     // the generated OpenAPI definitions are missing from the tag
}

// Kubernetes versions that the sandbox can run, as a user names them.
const (
	Newest  = "1.37"
	Default = "1.35"
	Oldest  = "1.21" // the last one that serves v1beta1 CustomResourceDefinitions
)

var kubernetesPackages = []string{
	"k8s.io/kubernetes/cmd/kube-apiserver",
	"k8s.io/kubernetes/cmd/kube-controller-manager",
	"k8s.io/kubernetes/cmd/kube-scheduler",
	"k8s.io/kubernetes/cmd/kubectl",
}

var kubernetesVersions = map[string]component{
	Newest: {
		name: "kubernetes", version: "v1.37.2", module: "kubernetes-1.37",
		packages: kubernetesPackages,
		stamps:   []string{"k8s.io/component-base/version"},
	},
	Default: {
		name: "kubernetes", version: "v1.35.4", module: "kubernetes-1.35",
		packages: kubernetesPackages,
		stamps:   []string{"k8s.io/component-base/version"},
	},
	Oldest: {
		name: "kubernetes", version: "v1.21.14", module: "kubernetes-1.21",
		packages: kubernetesPackages,
		stamps:   []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"},
		openAPI:  true,
	},
}

// etcd has no importable program: its command is a call of etcdmain.
const etcdMain = `// Command etcd is the etcd server.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
`

var (
	etcd = component{name: "etcd", version: "v3.6.16", module: "etcd", packages: []string{"."}, main: etcdMain}
	kwok = component{name: "kwok", version: "v0.8.0", module: "kwok", packages: []string{"sigs.k8s.io/kwok/cmd/kwok"}}

	oauth2Proxy = component{
		name: "oauth2-proxy", version: "v7.15.6", module: "oauth2-proxy", packages: []string{"github.com/oauth2-proxy/oauth2-proxy/v7"},
		alone: []string{"github.com/...", "golang.org/...", "google.golang.org/...", "go.opentelemetry.io/...", "cloud.google.com/...", "go.yaml.in/..."},
	}
)

// Versions lists the Kubernetes versions that Ensure accepts, newest first.
func Versions() []string { return []string{Newest, Default, Oldest} }

// Tested lists those that every run of the tests needs.
func Tested() []string { return []string{Default, Oldest} }

// Resolve maps user input ("", "1.35", "v1.35.4") to one of Versions.
func Resolve(version string) (string, error) {
	if version == "" {
		return Default, nil
	}
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) >= 2 {
		if short := parts[0] + "." + parts[1]; slices.Contains(Versions(), short) {
			return short, nil
		}
	}
	return "", fmt.Errorf("the sandbox does not support Kubernetes %q: choose one of %s", version, strings.Join(Versions(), ", "))
}

// ldflags strips the programs and sets the version that they report.
func (c component) ldflags() string {
	flags := []string{"-s", "-w"}
	numbers := strings.Split(strings.TrimPrefix(c.version, "v"), ".")
	for _, pkg := range c.stamps {
		flags = append(flags,
			"-X "+pkg+".gitVersion="+c.version,
			"-X "+pkg+".gitMajor="+numbers[0],
			"-X "+pkg+".gitMinor="+numbers[1],
			"-X "+pkg+".gitTreeState=clean")
	}
	return strings.Join(flags, " ")
}
