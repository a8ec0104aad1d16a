package cli

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A FlagGroup is what some flags of a command are about.
type FlagGroup struct {
	Title string
	Flags []string
}

// groupsAnnotation holds a command's groups: it is all that a cobra.Command can carry.
const groupsAnnotation = "kubectl-kubeflow/flag-groups"

// GroupFlags sets the groups of a command with many flags, in the order people need them. What is in none comes last in help.
func GroupFlags(cmd *cobra.Command, groups ...FlagGroup) {
	body, err := json.Marshal(groups)
	if err != nil {
		panic(err) // strings alone
	}
	cmd.Annotations = map[string]string{groupsAnnotation: string(body)}
}

func GroupsOf(cmd *cobra.Command) (groups []FlagGroup) {
	_ = json.Unmarshal([]byte(cmd.Annotations[groupsAnnotation]), &groups) // none
	return groups
}

// GroupedFlags returns the flags of a command for its help, by what they are about.
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
