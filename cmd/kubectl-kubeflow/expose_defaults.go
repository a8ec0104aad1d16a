package main

import (
	"context"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/cluster"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/expose"
)

// notWithDefaults says why a dashboard whose sign-in everybody knows is not made public, nil where that is no reason. What
// cannot be read is taken to be as it comes: that is the safe side.
func notWithDefaults(ctx context.Context, view cluster.View) *usageError {
	known, err := findChecks("auth/password", "auth/secrets")
	if err != nil {
		return nil // they are on the list: a test holds that
	}
	var why []string
	for _, check := range doctor.Diagnose(ctx, view, known, doctor.Options{}).Checks {
		for _, f := range check.Findings {
			if f.Command != "" { // the others are not about who may come in
				why = append(why, f.Message)
			}
		}
		if check.Status == doctor.Unknown {
			why = append(why, "whether its password and secrets are those of every Kubeflow cannot be seen ("+check.Reason+")")
		}
	}
	if len(why) == 0 {
		return nil
	}
	return &usageError{
		What: "not made public: " + strings.Join(why, "; "),
		Next: "Change them with: kubectl kubeflow doctor auth --fix --allow-restart --dex-password FILE\nor limit who may connect with --source-ranges CIDR,... or --internal; --allow-default-credentials makes it public all the same",
	}
}

// plainly says what does not work over plain HTTP, and what cures it.
func (o *exposeOptions) plainly(ctx context.Context, c *cluster.Client, url string, answer expose.Answer) {
	if !strings.HasPrefix(url, "http://") || !answer.Well() {
		return
	}
	s := o.screen()
	s.Paragraph("Plain HTTP: passwords can be read on the way. Encrypt it with: kubectl kubeflow expose --lb --tls")
	cookies, err := findChecks("exposure/secure-cookies")
	if err != nil {
		return // it is on the list: a test holds that
	}
	for _, check := range doctor.Diagnose(ctx, c.View(), cookies, doctor.Options{}).Checks {
		for _, f := range check.Findings {
			s.Paragraph("Without HTTPS " + f.Message + ". " + f.Consequence)
			s.Paragraph("Encrypt it, or let them send cookies over plain HTTP with: kubectl kubeflow doctor exposure/secure-cookies --fix --allow-restart")
		}
	}
}
