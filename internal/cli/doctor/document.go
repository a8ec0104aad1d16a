package doctor

import (
	"errors"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
)

// print writes the document of -o json and -o yaml.
func (o *doctorOptions) print(value any) error {
	o.printed = true
	return cli.PrintDocument(o.Out, o.output, value)
}

// document makes -o json and -o yaml write a document even if the command failed, with the error in it.
func (o *doctorOptions) document(err error) error {
	if err == nil || o.printed || o.output != "json" && o.output != "yaml" {
		return err
	}
	report := o.partial
	if report == nil {
		report = doctor.NewReport()
	}
	report.Error = redact.Message(err.Error())
	return errors.Join(err, o.print(report))
}
