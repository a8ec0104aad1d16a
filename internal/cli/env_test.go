package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func withMirror(changed string) (*cobra.Command, *string) {
	cmd := &cobra.Command{}
	value := cmd.Flags().String("mirror", "", "")
	if changed != "" {
		_ = cmd.Flags().Set("mirror", changed)
	}
	return cmd, value
}

func TestAFlagBeatsItsVariable(t *testing.T) {
	t.Setenv("KUBEFLOW_MIRROR", "/from/the/environment")
	for typed, want := range map[string]string{"": "/from/the/environment", "/typed": "/typed"} {
		cmd, value := withMirror(typed)
		if err := ReadEnvironment(cmd); err != nil || *value != want {
			t.Errorf("typed %q: %q, %v, want %q", typed, *value, err, want)
		}
	}
	if err := ReadEnvironment(&cobra.Command{}); err != nil {
		t.Errorf("a command without the flag: %v", err)
	}
}

func TestAnInvalidVariableIsNamed(t *testing.T) {
	t.Setenv("KUBEFLOW_TIMEOUT", "soon")
	cmd := &cobra.Command{}
	cmd.Flags().Duration("timeout", 0, "")
	if err := ReadEnvironment(cmd); err == nil || !strings.Contains(err.Error(), "KUBEFLOW_TIMEOUT") {
		t.Errorf("got %v", err)
	}
}

func TestEveryVariableIsOnThePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/environment.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range Variables {
		if row := "| `" + v.Name + "` | `--" + v.Flag + "` | " + v.Use + " |"; !strings.Contains(string(page), row) {
			t.Errorf("docs/environment.md has no row %s", row)
		}
	}
}
