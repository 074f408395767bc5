package main

import (
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/progress"
)

func devicesCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:     "devices",
		Category: categorySetup,
		Usage:    "list what pictures can be painted on",
		Flags:    commonFlags(),
		Action: func(*cli.Context) error {
			free := freeMemory()
			if s.json {
				return writeJSON(s.stdout, []map[string]any{{
					"name": "cpu", "threads": runtime.GOMAXPROCS(0), "architecture": runtime.GOARCH,
					"simd": simdLevel(), "free_bytes": free, "default": true,
				}})
			}
			memory := ""
			if free > 0 {
				memory = ", " + progress.Bytes(free) + " free"
			}
			_, err := fmt.Fprintf(s.stdout, "* cpu   %s, %s, %s%s\n        cuda: %s\n",
				count(runtime.GOMAXPROCS(0), "thread"), runtime.GOARCH, simdLevel(), memory, noCUDA)
			return err
		},
	})
}
