package main

import (
	"encoding/json"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/batch"
	"github.com/impasto/impasto/internal/manifest"
)

func schemaCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "schema",
		Category: categoryFarm,
		Usage:    "print the JSON schema of manifests, for editors",
		Description: "impasto schema > manifest.schema.json, and in the manifest's first line\n" +
			"# yaml-language-server: $schema=manifest.schema.json",
		Action: func(*cli.Context) error {
			e := json.NewEncoder(s.stdout)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(manifest.Schema(batch.Vocabulary()))
		},
	})
}
