package doctor

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A Check looks at one subject and says what is wrong with it. It reads and decides; it never writes.
type Check struct {
	ID    string // "pipelines/executor": also the file, the folder of its cases and its page
	Title string // true on a healthy cluster: "Workflow executor matches the container runtime"
	Why   string // what goes wrong for the user otherwise; sentences for --explain and the page
	// FixNote says what --fix changes and how risky that is, or why there is no automatic fix; sentences.
	FixNote string
	// Sources are where the facts are from: an issue as "kubeflow/manifests#2553", or the address of a page.
	Sources []string
	Reads   []schema.GroupKind
	// Rendered are the kinds that it reads of rendered manifests besides: no permission is needed for those.
	Rendered []schema.GroupKind
	Writes   []Write  // what its fixes do
	Paths    []string // what else it asks the API server for: "/.well-known/openid-configuration"
	Logs     bool     // it reads logs of pods
	Hint     string   // what to see to in Azure when this check finds something, since no cluster shows it; a sentence, or ""
	// Preflight checks matter before an install: install runs them on the cluster as it will be, and stops at their errors.
	Preflight bool
	// Everywhere tells that what it finds concerns Kubeflow in whichever namespace it is: another copy of cert-manager. The other
	// checks' findings about other people's namespaces are only worth knowing.
	Everywhere bool
	// Absence tells that it looks for what should not be there, so that all is well if nothing is.
	Absence   bool
	Manifests bool // it judges rendered manifests alone, and does not apply to what is on a cluster
	// Reach tells whether the check is part of the diagnosis of one namespace, which needs no more than the permissions of its users.
	Reach Reach
	Run   func(context.Context, Exam) ([]Finding, error) // an error means that it could not look
}

// A Reach tells which diagnoses a check is part of.
type Reach int

const (
	WholeCluster     Reach = iota // only of a whole cluster
	AlsoOneNamespace              // of a cluster, and of one namespace: then lists are of that namespace alone
	OneNamespace                  // only of one namespace
)

// In reports whether the check is part of the diagnosis of a namespace; of a whole cluster if it is "".
func (c *Check) In(namespace string) bool {
	if namespace == "" {
		return c.Reach != OneNamespace
	}
	return c.Reach != WholeCluster
}

// Area returns the part of the ID by which checks are grouped: "pipelines".
func (c *Check) Area() string {
	area, _, _ := strings.Cut(c.ID, "/")
	return area
}

// Page returns the address of the page about this check.
func (c *Check) Page() string {
	return "https://github.com/kubectl-kubeflow/kubectl-kubeflow/blob/main/docs/checks/" + c.Slug() + ".md"
}

// Slug returns the ID as it stands in file names: "pipelines-executor".
func (c *Check) Slug() string { return strings.ReplaceAll(c.ID, "/", "-") }

// Links returns the addresses of the sources.
func (c *Check) Links() []string {
	var links []string
	for _, source := range c.Sources {
		if repository, number, issue := strings.Cut(source, "#"); issue && !strings.Contains(source, "://") {
			source = "https://github.com/" + repository + "/issues/" + number
		}
		links = append(links, source)
	}
	return links
}

// An Exam is what a check gets to work with.
type Exam struct {
	cluster.View
	Settings
	gaps *gaps // what it went on without; nil where it may not
	memo *memo // what the checks of one look share; nil where nothing is
}

// Settings are the user's choices and what is known beforehand.
type Settings struct {
	// Namespace limits the diagnosis to one namespace, and to what its users may read; "" is the whole cluster.
	Namespace string
	// Release is what is installed, or about to be, where that is known for sure; nil where the check has to recognise it.
	Release *release.Release
	// MPI is "v2beta1" to replace the MPI operator by one for that API instead of pinning the old one.
	MPI string
	// MPIOperator are the objects of that newer operator.
	MPIOperator []*unstructured.Unstructured
	// Install is what is about to be applied; nil where nothing is.
	Install *Installation
	// Mesh is "disable" to switch mutual TLS off where servers have no sidecar, instead of giving them one.
	Mesh string
	// PasswordHash is the bcrypt hash of a new password; "" to leave it. It is for PasswordUser, an e-mail address, or for the user that every
	// Kubeflow comes with if that is "".
	PasswordHash, PasswordUser string
	// Named tells that the user named the checks: then what is only worth knowing may be changed as well.
	Named bool
	// Inspect compares the cluster with what was installed; nil where that is not known, as of manifests.
	Inspect func(context.Context, cluster.View) (*Inspection, error)
	// NewSecret makes a random secret of 32 letters and digits; nil where none may be made.
	NewSecret func() string
}

// Skipped is the error of a check that does not apply.
type Skipped struct{ Reason string }

func (s *Skipped) Error() string { return s.Reason }

// Skip returns the error with which a check says that it does not apply here: "not part of this release".
func Skip(format string, args ...any) error { return &Skipped{Reason: fmt.Sprintf(format, args...)} }
