package kubeflow

import (
	"fmt"
	"path"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/inventory"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
)

// A Notice is something to know on the way that is no result: what is fetched, what was decided, a warning.
type Notice struct {
	Warning bool
	Text    string // a line or a few, without "Warning: "

	Step  bool // it says what is done now, until the next step; "" ends it
	Brief bool // a step that is only worth showing in place: how much of a file has come
}

// A Notify receives notices while a use case is under way; nil drops them.
type Notify func(Notice)

func (n Notify) say(format string, args ...any) {
	if n != nil {
		n(Notice{Text: fmt.Sprintf(format, args...)})
	}
}

func (n Notify) step(format string, args ...any) {
	if n != nil {
		n(Notice{Step: true, Text: fmt.Sprintf(format, args...)})
	}
}

// following makes a rendering report what it does.
func (n Notify) following(o *release.RenderOptions) {
	o.Progress = func(line string) { n.step("%s", line) }
	o.Downloading = n.downloading
	o.Built = func(component string, objects int) {
		if n != nil {
			n(Notice{Step: true, Brief: true, Text: fmt.Sprintf("Rendering %s: %s", component, text.Plural(objects, "object"))})
		}
	}
}

// downloading says how much of a file has come; total is -1 if the server does not say how much there is.
func (n Notify) downloading(address string, got, total int64) {
	if n == nil {
		return
	}
	size := fmt.Sprintf("%.1f MB", float64(got)/1e6)
	if total > 0 {
		size = fmt.Sprintf("%.1f/%.1f MB", float64(got)/1e6, float64(total)/1e6)
	}
	n(Notice{Step: true, Brief: true, Text: fmt.Sprintf("Downloading %s   %s", path.Base(redact.URL(address)), size)})
}

func (n Notify) warn(format string, args ...any) {
	if n != nil {
		n(Notice{Warning: true, Text: fmt.Sprintf(format, args...)})
	}
}

// mostNotices is how many records are named that are not believed: whoever can write ConfigMaps can write many.
const mostNotices = 5

// recordNotices says which records are not believed, and which are still to be taken over from an older version.
func recordNotices(records *inventory.Records) []string {
	var notices []string
	for _, v := range records.Installed {
		if v.Old != nil {
			notices = append(notices, fmt.Sprintf("The installation %s was recorded by an older version, in %s. The next install or uninstall moves that record; of the objects in it, only those that this program wrote count",
				v.Name, cluster.RefOf(v.Old)))
		}
	}
	for i, d := range records.Doubtful {
		if i == mostNotices {
			notices = append(notices, fmt.Sprintf("%d more such ConfigMaps are ignored. To see them: kubectl get configmaps -A -l %s", len(records.Doubtful)-i, inventory.Selector))
			break
		}
		notices = append(notices, d.String())
	}
	return notices
}
