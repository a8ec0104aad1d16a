package cli

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A FlagGroup is a titled group of flags in the help of a command.
type FlagGroup struct {
	Title string
	Flags []string
}

// groupsAnnotation holds the groups of a command as JSON: annotations are strings.
const groupsAnnotation = "kubectl-kubeflow/flag-groups"

// GroupFlags sets the flag groups of a command, in the order of the help. Flags in no group come last.
func GroupFlags(cmd *cobra.Command, groups ...FlagGroup) {
	body, err := json.Marshal(groups)
	if err != nil {
		panic(err) // only strings
	}
	cmd.Annotations = map[string]string{groupsAnnotation: string(body)}
}

// GroupsOf returns the flag groups of a command.
func GroupsOf(cmd *cobra.Command) (groups []FlagGroup) {
	_ = json.Unmarshal([]byte(cmd.Annotations[groupsAnnotation]), &groups) // none
	return groups
}

// GroupedFlags formats the flags of a command for its help, by group.
func GroupedFlags(cmd *cobra.Command) string {
	own := cmd.LocalNonPersistentFlags()
	groups := GroupsOf(cmd)
	if len(groups) == 0 {
		return "Flags:\n" + own.FlagUsagesWrapped(80)
	}
	var out strings.Builder
	var grouped []string
	for _, group := range groups {
		set := pflag.NewFlagSet(group.Title, pflag.ContinueOnError)
		set.SortFlags = false
		for _, name := range group.Flags {
			if flag := own.Lookup(name); flag != nil {
				set.AddFlag(flag)
			}
		}
		grouped = append(grouped, group.Flags...)
		out.WriteString(group.Title + ":\n" + set.FlagUsagesWrapped(80) + "\n")
	}
	rest := pflag.NewFlagSet("rest", pflag.ContinueOnError)
	rest.SortFlags = false
	own.VisitAll(func(flag *pflag.Flag) {
		if !slices.Contains(grouped, flag.Name) {
			rest.AddFlag(flag)
		}
	})
	return out.String() + "Other flags:\n" + rest.FlagUsagesWrapped(80)
}
