package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-kubeflow/kubectl-kubeflow/internal/cli"
)

// TestCommandsOfIntegrationsParse parses what docs/integrations gives to other programs, and every command of ours in it as a user types it. None of
// them may write.
func TestCommandsOfIntegrationsParse(t *testing.T) {
	read := func(name string, into any) string {
		content, err := os.ReadFile("../../docs/integrations/" + name)
		if err == nil && into != nil {
			err = yaml.UnmarshalStrict(content, into)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return string(content)
	}
	var job batchv1.CronJob
	read("cronjob.yaml", &job)
	var holmes struct {
		Toolsets map[string]struct {
			Description   string              `json:"description"`
			Docs          string              `json:"docs_url"`
			Tags          []string            `json:"tags"`
			Prerequisites []map[string]string `json:"prerequisites"`
			Tools         []struct {
				Name        string `json:"name"`
				Description string `json:"description"`
				Command     string `json:"command"`
			} `json:"tools"`
		} `json:"toolsets"`
	}
	read("holmesgpt.yaml", &holmes)
	lines := strings.Split(strings.Join(job.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Args, "\n")+"\n"+read("README.md", nil), "\n")
	for _, set := range holmes.Toolsets {
		for _, tool := range set.Tools {
			if tool.Name == "" || tool.Description == "" {
				t.Errorf("a tool of HolmesGPT has no name or description: %+v", tool)
			}
			lines = append(lines, strings.NewReplacer("{{ check }}", "pipelines", "{{ namespace }}", "team-a").Replace(tool.Command))
		}
	}
	n := 0
	for _, line := range lines {
		_, command, found := strings.Cut(line, "kubectl kubeflow ")
		if !found || strings.Contains(line, "`kubectl") && !strings.Contains(line, ">") {
			continue
		}
		command, _, _ = strings.Cut(strings.NewReplacer(" |", "\x00", " >", "\x00", "`", "\x00", ";", "\x00").Replace(command), "\x00")
		n++
		streams, _, _, _ := genericiooptions.NewTestIOStreams()
		found2, args, err := newRootCommand(cli.NewDeps(streams)).Find(strings.Fields(command))
		if err == nil {
			err = found2.ParseFlags(args)
		}
		if err != nil {
			t.Errorf("%s: %v", command, err)
			continue
		}
		found2.Flags().Visit(func(f *pflag.Flag) {
			if f.Name == "fix" || f.Name == "undo" || f.Name == "yes" {
				t.Errorf("%s writes", command)
			}
		})
	}
	if n < 8 {
		t.Errorf("only %d commands were found", n)
	}
}
