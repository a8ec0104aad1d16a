package cli

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/redact"
	"github.com/kubectl-kubeflow/kubectl-kubeflow/pkg/problem"
)

// A Variable is an environment variable that stands for a flag which people repeat.
type Variable struct {
	Name, Flag, Use string
}

// Variables are all of them; docs/environment.md lists them. None of them permits something that would otherwise be asked.
var Variables = []Variable{
	{"KUBEFLOW_MIRROR", "mirror", "where archives come from instead of the internet: a folder or a URL"},
	{"KUBEFLOW_IMAGE", "image", "replace an image prefix, as FROM=TO: your own registry"},
	{"KUBEFLOW_ADAPT", "adapt", "whether manifests are patched for AKS"},
	{"KUBEFLOW_SUPPRESS", "suppress", "findings to ignore, separated by commas"},
	{"KUBEFLOW_TIMEOUT", "timeout", "how long to wait: 45m"},
	{"KUBEFLOW_COLOR", "color", "whether to colour the output: auto, always or never"},
}

// ReadEnvironment sets the flags of a command that were not typed and whose variable is set.
func ReadEnvironment(cmd *cobra.Command) error {
	for _, v := range Variables {
		flag, value := cmd.Flags().Lookup(v.Flag), os.Getenv(v.Name)
		if flag == nil || flag.Changed || value == "" || !applies(cmd, flag) {
			continue
		}
		if err := cmd.Flags().Set(v.Flag, value); err != nil {
			return &problem.Error{Usage: true, What: "the environment variable " + v.Name + " has an invalid value: " + redact.Message(value), Next: "Correct it, or unset it: it stands for --" + v.Flag}
		}
	}
	return nil
}

// requiresAnnotation marks a flag that is an error without another one.
const requiresAnnotation = "kubectl-kubeflow/requires"

// Requires says that a flag is an error without another one, so that its variable is ignored there.
func Requires(f *pflag.FlagSet, name, other string) {
	if err := f.SetAnnotation(name, requiresAnnotation, []string{other}); err != nil {
		panic(err) // a programming error: no such flag
	}
}

// applies reports whether a flag may be given with those that were typed.
func applies(cmd *cobra.Command, flag *pflag.Flag) bool {
	for _, other := range flag.Annotations[requiresAnnotation] {
		if !cmd.Flags().Changed(other) {
			return false
		}
	}
	return true
}
