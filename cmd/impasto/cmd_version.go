package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/ui"
)

// version is set by the linker in releases: -ldflags "-X main.version=0.1.0".
var version string

// build describes this build of the program.
type build struct {
	Version string   `json:"version"`
	Commit  string   `json:"commit,omitempty"`
	Changed bool     `json:"changed,omitempty"` // the tree had changes that are not committed
	Go      string   `json:"go"`
	System  string   `json:"system"`
	Tags    []string `json:"tags,omitempty"`
}

func thisBuild() build {
	b := build{Version: version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if b.Version == "" && info.Main.Version != "(devel)" {
		b.Version = strings.TrimPrefix(info.Main.Version, "v")
	}
	if b.Version == "" {
		b.Version = "development"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			b.Changed = s.Value == "true"
		case "-tags":
			b.Tags = strings.FieldsFunc(s.Value, func(r rune) bool { return r == ',' || r == ' ' })
		}
	}
	return b
}

// shortVersion returns the version for headings.
func shortVersion() string { return thisBuild().Version }

// software returns the program's name as it is written into pictures.
func software() string { return "Impasto " + shortVersion() }

func versionCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "version",
		Category: categorySetup,
		Usage:    "print the version and build of the program",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "exit-codes", Usage: "print the exit codes and their meanings"},
		},
		Action: func(c *cli.Context) error {
			if c.Bool("exit-codes") {
				for _, e := range ui.ExitCodes {
					fmt.Fprintf(s.stdout, "%3d  %s\n", e.Code, e.Meaning)
				}
				return nil
			}
			b := thisBuild()
			if s.json {
				return json.NewEncoder(s.stdout).Encode(b)
			}
			fmt.Fprintf(s.stdout, "impasto %s", b.Version)
			if b.Commit != "" {
				fmt.Fprintf(s.stdout, " (%s", b.Commit)
				if b.Changed {
					fmt.Fprint(s.stdout, ", changed")
				}
				fmt.Fprint(s.stdout, ")")
			}
			fmt.Fprintf(s.stdout, " %s %s", b.Go, b.System)
			if len(b.Tags) > 0 {
				fmt.Fprintf(s.stdout, " tags %s", strings.Join(b.Tags, ","))
			}
			fmt.Fprintln(s.stdout)
			return nil
		},
	})
}
