package expose

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// An exposeMethod is one thing that expose does, at its flag.
type exposeMethod struct {
	expose.Method
	groups []cli.FlagGroup // its own flags
	shared []string        // flags that other methods have as well
	run    func(*exposeOptions, context.Context, *cluster.Client, *expose.Exposure) error
	undoes bool // it removes access instead of creating it
}

// exposeMethods returns all methods, the safest first. Flags, help and the rules for combining flags come from this list. To
// add one, copy forward.go and add a line here.
func exposeMethods() []exposeMethod {
	return []exposeMethod{portForwardMethod, loadBalancerMethod, removeMethod}
}

// offeredMethods returns the methods that create access.
func offeredMethods() []expose.Method {
	var methods []expose.Method
	for _, m := range exposeMethods() {
		if !m.undoes {
			methods = append(methods, m.Method)
		}
	}
	return methods
}

// takes reports whether the method has the flag.
func (m exposeMethod) takes(flag string) bool {
	return slices.Contains(m.shared, flag) || slices.ContainsFunc(m.groups, func(g cli.FlagGroup) bool { return slices.Contains(g.Flags, flag) })
}

func (m exposeMethod) flag() string { return strings.TrimPrefix(m.Flag, "--") }

// addMethods adds the flags that choose a method.
func (o *exposeOptions) addMethods(f *pflag.FlagSet) {
	o.picked = map[string]*bool{}
	for _, m := range exposeMethods() {
		o.picked[m.Name] = f.Bool(m.flag(), false, m.Summary)
	}
}

// methodGroups returns the flag groups of the help.
func methodGroups() []cli.FlagGroup {
	how := cli.FlagGroup{Title: "Methods"}
	groups := []cli.FlagGroup{}
	for _, m := range exposeMethods() {
		how.Flags = append(how.Flags, m.flag())
		for _, g := range m.groups {
			groups = append(groups, cli.FlagGroup{Title: g.Title + " (with " + m.Flag + ")", Flags: g.Flags})
		}
	}
	return append([]cli.FlagGroup{how}, groups...)
}

// choose sets the chosen method, and rejects flags that it does not have.
func (o *exposeOptions) choose() error {
	var all, chosen []string
	for _, m := range exposeMethods() {
		all = append(all, m.Flag)
		if *o.picked[m.Name] {
			chosen = append(chosen, m.Flag)
			o.method = &m
		}
	}
	if len(chosen) > 1 {
		return &problem.Error{Usage: true, What: text.And(all...) + " are mutually exclusive", Next: "Specify one of them"}
	}
	var err error
	o.all.VisitAll(func(f *pflag.Flag) {
		var with []string
		for _, m := range exposeMethods() {
			if m.takes(f.Name) {
				with = append(with, m.Flag)
			}
		}
		if f.Changed && len(with) > 0 && (o.method == nil || !o.method.takes(f.Name)) && err == nil {
			err = &problem.Error{Usage: true, What: "--" + f.Name + " requires " + strings.Join(with, " or "), Next: "Add it, or see: kubectl kubeflow expose --help"}
		}
	})
	return err
}
