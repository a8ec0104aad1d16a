package doctor

import (
	"errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// print writes the one document that -o json and -o yaml promise.
func (o *doctorOptions) print(value any) error {
	o.printed = true
	return cli.PrintDocument(o.Out, o.output, value)
}

// document sees to it that -o json and -o yaml give their document also when the command fails, with why in it.
func (o *doctorOptions) document(err error) error {
	if err == nil || o.printed || o.output != "json" && o.output != "yaml" {
		return err
	}
	report := o.partial
	if report == nil {
		report = doctor.NewReport()
	}
	report.Error = err.Error()
	return errors.Join(err, o.print(report))
}
