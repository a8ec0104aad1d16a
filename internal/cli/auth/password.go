package auth

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/escape"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/kubeflow"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/signin"
)

type passwordOptions struct {
	change
	user, file string
	generate   bool
}

// defaultUser is the one that every release since 1.3 comes with.
const defaultUser = "user@example.com"

func newPasswordCommand(d *cli.Deps) *cobra.Command {
	o := &passwordOptions{change: change{Deps: d}}
	cmd := &cobra.Command{
		Use: "password [USER]", Short: "Change the password of a user that dex knows itself",
		Long: `Change the password of a user that dex knows itself, by default of the default
user, ` + defaultUser + `. The new password is asked for twice, read from a file,
or generated. dex stores a bcrypt hash of it, and is restarted; the gateway gets
dex's new signing keys. To restore the old password:
kubectl kubeflow doctor --undo

Users of another provider have their passwords there.

Exit codes: 0 changed, 1 not changed.`,
		Example: `  kubectl kubeflow auth password             # asks for the new password
  kubectl kubeflow auth password --generate  # prints it once
  kubectl kubeflow auth password --from-file FILE --yes`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return &problem.Error{Usage: true, What: "more than one user", Next: "Specify one e-mail address"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.user = defaultUser; len(args) > 0 {
				o.user = args[0]
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&o.file, "from-file", "", "read the new password from `FILE`, on one line; - is standard input")
	cmd.Flags().BoolVar(&o.generate, "generate", false, "generate a password and print it once")
	o.addFlags(cmd)
	return cmd
}

func (o *passwordOptions) run(ctx context.Context) error {
	if o.generate && o.file != "" {
		return &problem.Error{Usage: true, What: "--generate and --from-file are mutually exclusive", Next: "Specify one of them"}
	}
	if o.file == "-" && !o.yes && !bool(o.dryRun) {
		return inputTaken("--from-file")
	}
	if err := cli.Positive(o.timeout, "5m"); err != nil {
		return err
	}
	client, err := o.Connect()
	if err != nil {
		return err
	}
	password, err := o.newPassword(ctx)
	if err != nil {
		return err
	}
	hash, err := signin.HashPassword(password)
	if err != nil {
		return err
	}
	report, err := kubeflow.SetPassword(ctx, client, o.user, hash, o.options())
	if err := o.result(report, err, "the password of "+o.user); err != nil || bool(o.dryRun) {
		return err
	}
	if o.generate {
		fmt.Fprintln(o.Out, password)
	}
	o.Screen().Say("%s The password of %s is changed", o.Screen().Done(), escape.Line(o.user))
	return nil
}

// newPassword reads the password from where the flags say.
func (o *passwordOptions) newPassword(ctx context.Context) (string, error) {
	switch {
	case o.generate:
		return signin.NewSecret()[:20], nil
	case o.file != "":
		return o.ReadPassword(ctx, "from-file", o.file)
	}
	terminal, isFile := o.In.(*os.File)
	if !isFile || !term.IsTerminal(int(terminal.Fd())) {
		return "", &problem.Error{Usage: true, What: "this is not a terminal, so that the password cannot be asked for", Next: "Use --from-file FILE, or --generate"}
	}
	return o.ask(ctx, terminal)
}

// ask asks twice without echo. The terminal is as before when it returns, also after Ctrl-C.
func (o *passwordOptions) ask(ctx context.Context, terminal *os.File) (string, error) {
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	read := func(question string) (string, error) {
		fmt.Fprint(o.ErrOut, question)
		type answer struct {
			text []byte
			err  error
		}
		typed := make(chan answer, 1)
		go func() {
			text, err := term.ReadPassword(fd)
			typed <- answer{text, err}
		}()
		select {
		case <-ctx.Done():
			_ = term.Restore(fd, before)
			fmt.Fprintln(o.ErrOut)
			return "", context.Cause(ctx)
		case a := <-typed:
			fmt.Fprintln(o.ErrOut)
			return string(a.text), a.err
		}
	}
	first, err := read("New password of " + escape.Line(o.user) + ": ")
	if err != nil {
		return "", err
	}
	again, err := read("The same again: ")
	if err == nil && first != again {
		err = &problem.Error{What: "the two passwords are not the same", Next: "Nothing was changed. Run the command again"}
	}
	return first, err
}
