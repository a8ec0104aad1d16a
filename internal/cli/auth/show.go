package auth

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/text"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/ui"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/doctor"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

// printStatus prints the chain from the gateway to the provider, then who signs in.
func printStatus(d *cli.Deps, status *signin.Status, report *doctor.Report) error {
	s := d.Screen()
	line := func(label, format string, args ...any) {
		fmt.Fprintf(s.Out, "%-14s %s\n", label, escape.Line(fmt.Sprintf(format, args...)))
	}
	line("Gateway", "%s: %s (%s)", status.Gateway, status.Authentication, status.Authentication.Reason)
	for _, address := range status.Addresses {
		line("Address", "%s", address)
	}
	for _, a := range status.Authenticators {
		line(a.Product, "%s", describe(a))
	}
	if p := status.Provider; p != nil {
		printProvider(line, p)
	}
	for _, issuer := range status.TokenIssuers {
		line("Tokens of", "%s", issuer)
	}
	for _, why := range status.Unread {
		line("Not read", "%s", why)
	}
	if len(status.People) > 0 {
		fmt.Fprintln(s.Out)
		if err := printProfiles(s, status.People); err != nil {
			return err
		}
	}
	printNext(d, report)
	return nil
}

func describe(a signin.Authenticator) string {
	parts := []string{"provider " + cmp.Or(a.Issuer, "not known")}
	if a.OwnDex {
		parts[0] += " (dex of this cluster)"
	}
	if a.RedirectURL != "" {
		parts = append(parts, "redirect "+a.RedirectURL)
	}
	if a.Sessions != "" {
		parts = append(parts, "sessions in "+a.Sessions)
	}
	if a.UserFrom != "" {
		parts = append(parts, "users by claim "+a.UserFrom)
	}
	if a.Hidden != "" {
		parts = append(parts, "some settings are not known: it "+a.Hidden)
	}
	return strings.Join(parts, ", ")
}

func printProvider(line func(string, string, ...any), p *signin.Provider) {
	if !p.Known {
		line("dex", "its configuration could not be read")
		return
	}
	line("dex", "issuer %s, storage %s", p.Issuer, cmp.Or(p.Storage, "not known"))
	for _, c := range p.Connectors {
		line("  connector", "%s (%s) %s", c.ID, c.Type, c.Name)
	}
	for _, u := range p.Users {
		password := "own password"
		if u.DefaultPassword {
			password = "default password  ! change it: kubectl kubeflow auth password " + escape.Word(u.Email)
		}
		line("  user", "%s, %s", u.Email, password)
	}
}

func printProfiles(s *ui.Screen, profiles []signin.Profile) error {
	var rows [][]string
	for _, p := range profiles {
		var with []string
		for _, c := range p.Contributors {
			with = append(with, c.User+" ("+c.Role+")")
		}
		rows = append(rows, []string{p.Name, p.Owner, text.Names(with, text.Most, func(s string) string { return s })})
	}
	return s.Table([]string{"PROFILE", "OWNER", "CONTRIBUTORS"}, rows)
}

// printNext says what the doctor found about the sign-in.
func printNext(d *cli.Deps, report *doctor.Report) {
	problems := 0
	for _, c := range report.Checks {
		for _, f := range c.Findings {
			if f.Severity != doctor.Info {
				problems++
			}
		}
	}
	if problems > 0 {
		fmt.Fprintf(d.Out, "\nThe doctor finds %s here. See: kubectl kubeflow doctor auth\n", text.Plural(problems, "problem"))
	}
}
