package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/bench"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
)

// benchReport makes one page of stored reports. It shows the machines beside each
// other and compares the others with the first.
func benchReport(s *session, c *cli.Context) error {
	var bad ui.Faults
	for _, f := range c.Command.Flags {
		switch name := f.Names()[0]; name {
		case "output", "json", "quiet", "verbose":
		default:
			if c.IsSet(name) {
				bad.Add(ui.UsageFault(fmt.Sprintf("bench report measures nothing; --%s has no meaning there", name), "impasto bench report A.json B.json -o bench.html"))
			}
		}
	}
	output := cmp.Or(flagText(c, "output"), "bench.html")
	if !strings.HasSuffix(output, ".html") {
		bad.Add(settings.BadValue("output", output, "a file name that ends in .html"))
	}
	files := c.Args().Slice()[1:]
	if len(files) == 0 {
		bad.Add(ui.UsageFault("bench report needs at least one report", "impasto bench --work throughput -o today.json"))
	}
	var all []bench.Named
	for _, path := range files {
		r, err := bench.Load(path)
		var file *fs.PathError
		switch {
		case errors.As(err, &file):
			bad.Add(ui.NewFault(ui.ExitInput, "unreadable", fmt.Sprintf("report %q cannot be read: %s", path, ui.Reason(err))))
		case err != nil:
			bad.Add(ui.NewFault(ui.ExitInput, "not_a_report", err.Error()))
		}
		all = append(all, bench.Named{Name: ui.Stem(path), Report: r})
	}
	if len(bad) > 0 {
		return bad
	}
	if err := writeBenchPage(output, all); err != nil {
		return err
	}
	return s.show(map[string]any{"output": output, "reports": len(all)}, output)
}

func writeBenchPage(path string, all []bench.Named) error {
	return picture.WriteFile(path, func(w io.Writer) error { return bench.Page(w, all, software()) })
}
