package appdir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/release/archive"
)

// A Request is what to build into a directory.
type Request struct {
	// Want is the wanted configuration; its Components and Images are ignored, because the directory's are kept.
	Want Config
	// Stdin is read when the filename is "-".
	Stdin io.Reader
	// Options say how to fetch; components and mirror in Want take precedence.
	Options release.RenderOptions
	// Update fetches the current content of addresses, whatever the lock says.
	Update bool
}

// A Report is the result of a build.
type Report struct {
	// Rendered is what the directory installs: the user's kustomizations, built.
	Rendered *release.Rendered
	// Edited are the components whose kustomization was changed by the user.
	Edited []string
	// Aside are the components whose base had been changed manually; a copy is in base.changed.
	Aside []string
	// Stale are the user's changes that no longer apply.
	Stale []Edit
}

// Build renders a release or a file into the directory, keeps the user's changes, and reports which of
// them no longer apply. It changes the directory only in memory.
func Build(ctx context.Context, d *Dir, request Request) (*Report, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	if d.KfDef != "" {
		return nil, &problem.Error{Usage: true, What: fmt.Sprintf("%s was made by kfctl, and a build would mix two layouts", d.Path),
			Next: fmt.Sprintf("Install it as it is with: kubectl kubeflow install --dir %s; or build its %s into a new directory with --filename", escape.Word(d.Path), escape.Word(d.KfDef))}
	}
	o, source := request.Options, request.Want.Build
	o.Only, o.Skip, o.Mirror = source.Component, source.Skip, source.Mirror
	if !request.Update {
		o.Locked = d.Lock.Sources
	}
	out, err := release.Render(ctx, release.Input{Release: source.Release, File: source.Filename, Stdin: request.Stdin}, o)
	if err != nil {
		return nil, err
	}
	report := &Report{Aside: d.setAside()}
	want := request.Want
	want.Build.Filename, want.Build.Mirror = redact.Stored(want.Build.Filename), redact.Stored(want.Build.Mirror)
	gone, err := d.place(want, out)
	if err != nil {
		return nil, err
	}
	report.Stale = gone
	if err := d.check(ctx, out, o, report); err != nil {
		return nil, err
	}
	return report, d.finish(report)
}

// place adds the bases and the configuration, and returns the user's changes to components that no longer exist.
func (d *Dir) place(want Config, out *release.Rendered) ([]Edit, error) {
	components := joined(out.Components)
	before, fresh := d.Lock.Bases, d.Empty()
	lock := Lock{Sources: map[string]string{}, Bases: map[string]string{}}
	var names []string
	for _, c := range components {
		if !componentRule.MatchString(c.Name) {
			return nil, &problem.Error{Usage: true, What: fmt.Sprintf("component %q cannot be a folder's name", c.Name), Next: "Give it, or its file, another name"}
		}
		if err := d.putBase(c); err != nil {
			return nil, err
		}
		lock.Bases[c.Name] = d.baseHash(c.Name)
		if fresh || before[c.Name] == "" || slices.Contains(d.Config.Components, c.Name) { // otherwise the user removed it
			names = append(names, c.Name)
		}
	}
	for _, name := range d.Config.Components { // the user's own
		if _, built := lock.Bases[name]; !built && before[name] == "" && d.files[userFile(name)] != nil {
			names = append(names, name)
		}
	}
	var gone []Edit
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, built := lock.Bases[name]; !built {
			gone = append(gone, d.dropComponent(name)...)
		}
	}
	want.Components, want.Images = names, d.Config.Images
	if out.Namespace != "" {
		want.Namespace = out.Namespace
	}
	d.Config, d.Lock = want, lock
	d.Config.APIVersion, d.Config.Kind = ConfigVersion, ConfigKind
	if err := d.Config.check(); err != nil {
		return nil, &problem.Error{Usage: true, What: "the directory would not be usable", Next: "Choose other components", Err: err}
	}
	return gone, nil
}

// check builds the user's kustomizations, and locks their references.
func (d *Dir) check(ctx context.Context, out *release.Rendered, o release.RenderOptions, report *Report) error {
	var broken []Edit
	var other error // an error that is not in a kustomization
	o.Only, o.Skip = nil, nil
	o.Broken = func(component string, err error) {
		if edit := (*release.EditError)(nil); errors.As(err, &edit) {
			broken = append(broken, Edit{Component: component, What: "cannot be built: " + edit.Reason, Broken: true})
		} else if other == nil {
			other = err
		}
	}
	built, err := release.Render(ctx, release.Input{Directories: []release.Directory{d.directory()}}, o)
	if err == nil {
		err = other
	}
	if err != nil {
		return err
	}
	slices.SortFunc(broken, func(a, b Edit) int { return strings.Compare(a.Component, b.Component) })
	built.Pins = merged(out.Pins, built.Pins)
	for _, warning := range out.Warnings {
		if !slices.Contains(built.Warnings, warning) {
			built.Warnings = append(built.Warnings, warning)
		}
	}
	if out.Release != nil {
		built.Release = out.Release
	}
	if len(broken) > 0 { // their references are unknown now, and stay locked
		maps.Copy(d.Lock.Sources, o.Locked)
	}
	for _, pin := range built.Pins {
		if archive.IsURL(pin.URL) || strings.HasPrefix(pin.URL, "embedded:") {
			d.Lock.Sources[pin.URL] = pin.Hash
		}
	}
	report.Rendered = built
	report.Stale = append(append(report.Stale, broken...), d.stale(built.Components)...)
	for _, name := range d.Config.Components {
		if !d.untouched(name) {
			report.Edited = append(report.Edited, name)
		}
	}
	return nil
}

func merged(pins, more []release.Pin) []release.Pin {
	out := slices.Clone(pins)
	for _, pin := range more {
		if !slices.ContainsFunc(out, func(have release.Pin) bool { return have.URL == pin.URL }) {
			out = append(out, pin)
		}
	}
	return out
}

// finish writes the configuration, the lock and the rendered objects.
func (d *Dir) finish(report *Report) error {
	have, err := ParseConfig(configFile, d.files[configFile])
	if err != nil || !same(have, d.Config) { // an unchanged configuration keeps the user's comments
		content, err := d.Config.encode()
		if err != nil {
			return err
		}
		d.put(configFile, content)
	}
	d.put(lockFile, d.Lock.encode())
	return d.PutRendered(report.Rendered.Components)
}

// PutRendered replaces the objects in rendered/, which show what install starts from.
func (d *Dir) PutRendered(components []release.RenderedComponent) error {
	current := map[string]bool{}
	for _, c := range components {
		if len(c.Objects) == 0 {
			continue
		}
		content, err := encode(c.Objects)
		if err != nil {
			return err
		}
		name := rendered + "/" + c.Name + ".yaml"
		current[name] = true
		d.put(name, content)
	}
	old, err := d.renderedFiles()
	if err != nil {
		return unopened(d.Path, err)
	}
	for _, file := range old {
		if name := rendered + "/" + file; !current[name] {
			d.drop(name)
		}
	}
	return nil
}

// renderedFiles lists the files in rendered/, if that is a folder inside the directory.
func (d *Dir) renderedFiles() ([]string, error) {
	root, err := os.OpenRoot(d.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	entries, err := fs.ReadDir(root.FS(), rendered)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, entry := range entries {
		if path.Ext(entry.Name()) == ".yaml" {
			names = append(names, entry.Name())
		}
	}
	return names, err
}
