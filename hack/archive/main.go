// Command archive builds the release archive for this platform as .goreleaser.yaml describes it, without goreleaser itself,
// which takes minutes to compile:
//
//	archive TAG FOLDER
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"
)

// config is the part of .goreleaser.yaml that decides what is in an archive.
type config struct {
	Before   struct{ Hooks []string }
	Builds   []build
	Archives []archive
}

type build struct {
	Main, Binary        string
	Env, Flags, Ldflags []string
}

// values are the fields that templates in .goreleaser.yaml may use here.
type values struct{ Tag, Version, Os, Arch string }

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: archive TAG FOLDER")
		os.Exit(2)
	}
	file, err := write(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	fmt.Println(file)
}

// write returns the path of the archive that it wrote into the folder.
func write(tag, folder string) (string, error) {
	c, err := read(".goreleaser.yaml")
	if err != nil {
		return "", err
	}
	for _, hook := range c.Before.Hooks {
		if err := run(nil, strings.Fields(hook)...); err != nil {
			return "", err
		}
	}
	v := values{Tag: tag, Version: strings.TrimPrefix(tag, "v"), Os: runtime.GOOS, Arch: runtime.GOARCH}
	work, err := os.MkdirTemp("", "archive-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	binary, err := c.Builds[0].compile(v, work)
	if err != nil {
		return "", err
	}
	return c.Archives[0].pack(v, binary, folder)
}

func read(file string) (config, error) {
	var c config
	text, err := os.ReadFile(file)
	if err != nil {
		return c, err
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("reading %s: %w", file, err)
	}
	if len(c.Builds) != 1 || len(c.Archives) != 1 {
		return c, fmt.Errorf("%s has %d builds and %d archives, not one of each", file, len(c.Builds), len(c.Archives))
	}
	return c, nil
}

// compile returns the path of the binary that it built in the folder.
func (b build) compile(v values, folder string) (string, error) {
	ldflags, err := v.expand(strings.Join(b.Ldflags, " "))
	if err != nil {
		return "", err
	}
	binary := filepath.Join(folder, b.Binary)
	args := append([]string{"go", "build"}, b.Flags...)
	return binary, run(b.Env, append(args, "-ldflags="+ldflags, "-o", binary, b.Main)...)
}

func (v values) expand(text string) (string, error) {
	parsed, err := template.New("").Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = parsed.Execute(&out, v)
	return out.String(), err
}

func run(env []string, command ...string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running %s: %w", strings.Join(command, " "), err)
	}
	return nil
}
