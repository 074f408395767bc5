package settings

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Markdown returns the table of a group for docs/cli.md.
func Markdown(group string) string {
	var b strings.Builder
	b.WriteString("| flag | what it does |\n|---|---|\n")
	for _, s := range table {
		if s.Group != group {
			continue
		}
		long := "--" + s.Name
		if len(s.Name) == 1 {
			long = "-" + s.Name
		}
		flag := fmt.Sprintf("`%s`", strings.TrimSpace(long+" "+s.Value))
		if s.Short != "" {
			flag = fmt.Sprintf("`-%s`, ", s.Short) + flag
		}
		if s.Alias != "" {
			flag += fmt.Sprintf(", `--%s`", s.Alias)
		}
		help := s.HelpFor("")
		for _, mode := range slices.Sorted(maps.Keys(s.HelpIn)) {
			help += fmt.Sprintf("; with `%s`: %s", mode, s.HelpFor(mode))
		}
		fmt.Fprintf(&b, "| %s | %s |\n", strings.ReplaceAll(flag, "|", `\|`), strings.ReplaceAll(help, "|", `\|`))
	}
	return b.String()
}
