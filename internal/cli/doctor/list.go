package doctor

import "github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"

// A checkRow is one check in the list, as data.
type checkRow struct {
	ID    string   `json:"id"`
	Code  string   `json:"code"`
	Title string   `json:"title"`
	Why   string   `json:"why"`
	Fix   string   `json:"fix"`
	Reads []string `json:"reads"`
	Page  string   `json:"page"`
}

func rowOf(c *doctor.Check) checkRow {
	row := checkRow{ID: c.ID, Code: c.Code(), Title: c.Title, Why: c.Why, Fix: c.FixNote, Page: c.Page(), Reads: []string{}}
	for _, kind := range c.Reads {
		row.Reads = append(row.Reads, kind.String())
	}
	return row
}

func (o *doctorOptions) showList() error {
	if o.output == "json" || o.output == "yaml" {
		rows := []checkRow{}
		for _, c := range o.checks {
			rows = append(rows, rowOf(c))
		}
		return o.print(map[string]any{"apiVersion": "kubeflow.doctor/v1alpha1", "kind": "CheckList", "items": rows})
	}
	var rows [][]string
	for _, c := range o.checks {
		rows = append(rows, []string{c.ID, c.Title})
	}
	return o.Screen().Table([]string{"ID", "PASSES IF"}, rows)
}

func (o *doctorOptions) showCheck(id string) error {
	found, err := findChecks(id)
	if err != nil {
		return err
	}
	for _, c := range found {
		if o.output == "json" || o.output == "yaml" {
			return o.print(rowOf(c))
		}
		if err := o.Screen().Check(c); err != nil {
			return err
		}
	}
	return nil
}
