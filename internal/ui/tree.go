package ui

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/install/status"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
)

// A branch is a line of a tree and what hangs beneath it.
type branch struct {
	state status.State
	text  string
	below []branch
}

// tree draws each component, its objects, and what those own.
func (p *page) tree(o *kubeflow.Overview) {
	var components []branch
	for _, c := range o.Components {
		components = append(components, branch{c.State, c.Name + " " + fraction(c.Objects), objectBranches(c.Items, true)})
	}
	p.branches(components, "")
}

func objectBranches(list []status.Object, top bool) []branch {
	var out []branch
	for _, item := range worstFirst(list) {
		text := item.Ref.Kind + "/" + item.Ref.Name
		if top && item.Ref.Namespace != "" {
			text = item.Ref.Kind + "/" + item.Ref.Namespace + "/" + item.Ref.Name
		}
		if item.Why != "" {
			text += "  " + item.Why
		}
		out = append(out, branch{item.State, text, objectBranches(item.Owned, false)})
	}
	return out
}

func (p *page) branches(list []branch, before string) {
	for i, b := range list {
		fork, rail := p.Sign("├─ ", "|- "), p.Sign("│  ", "|  ")
		if i == len(list)-1 {
			fork, rail = p.Sign("└─ ", "`- "), "   "
		}
		m := states[b.state]
		p.wrappedUnder(before+fork+p.Paint(m.style, p.Sign(m.sign, m.ascii))+" ", before+rail+"    ", b.text)
		p.branches(b.below, before+rail)
	}
}

// wrappedUnder adds words after a beginning of their own; the lines after the first begin with under.
func (p *page) wrappedUnder(beginning, under, text string) {
	line, empty := beginning, true
	for word := range strings.FieldsSeq(text) {
		if !empty && columns(line)+1+columns(word) > p.Width {
			p.line(line)
			line, empty = under, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	p.line(strings.TrimRight(line, " "))
}

// worstFirst orders objects: what fails before what is on its way.
func worstFirst(list []status.Object) []status.Object {
	rank := []status.State{status.Failing, status.Missing, status.Progressing, status.Unknown, status.Ready}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b status.Object) int {
		return cmp.Compare(slices.Index(rank, a.State), slices.Index(rank, b.State))
	})
	return list
}
