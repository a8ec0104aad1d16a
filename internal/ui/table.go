package ui

import (
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
)

// Table writes a table as kubectl does: no lines, columns apart, headers in capitals.
func (s *Screen) Table(header []string, rows [][]string) error {
	table := tablewriter.NewTable(s.Out,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Settings: tw.Settings{
				Lines:      tw.Lines{ShowTop: tw.Off, ShowBottom: tw.Off, ShowHeaderLine: tw.Off, ShowFooterLine: tw.Off},
				Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off},
			},
		})),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: "   "}),
	)
	table.Header(header)
	for _, row := range rows {
		for i := range row {
			row[i] = escape.Line(row[i])
		}
	}
	if err := table.Bulk(rows); err != nil {
		return err
	}
	return table.Render()
}
