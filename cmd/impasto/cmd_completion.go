package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/bench"
	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// completionFlag asks for completions. Each shell's script calls the program with
// the words so far and this flag at the end, and gets one candidate on each line.
// If there is none, the shell completes file names.
const completionFlag = "--generate-bash-completion"

var shells = []string{"bash", "zsh", "fish", "powershell"}

var completionScripts = map[string]string{
	"bash": `# bash completion of impasto: source <(impasto completion bash)
_impasto() {
  local IFS=$'\n' cur="${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=($(compgen -W "$("${COMP_WORDS[@]:0:COMP_CWORD}" "$cur" --generate-bash-completion 2>/dev/null)" -- "$cur"))
}
complete -o default -o bashdefault -F _impasto impasto
`,
	"zsh": `#compdef impasto
# zsh completion of impasto: source <(impasto completion zsh)
_impasto() {
  local -a found
  found=("${(@f)$("${(@)words[1,CURRENT]}" --generate-bash-completion 2>/dev/null)}")
  if [[ -n "${found[1]}" ]]; then
    compadd -- "${found[@]}"
  else
    _files
  fi
}
compdef _impasto impasto
`,
	"fish": `# fish completion of impasto: impasto completion fish | source
function __impasto_complete
    set -l words (commandline -opc) (commandline -ct)
    $words --generate-bash-completion 2>/dev/null
end
complete -c impasto -a '(__impasto_complete)'
`,
	"powershell": `# PowerShell completion of impasto: impasto completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName impasto -ScriptBlock {
    param($word, $line, $position)
    $words = @($line.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    if ($word -eq '') { $words += '' }
    & impasto @words --generate-bash-completion | Where-Object { $_ -like "$word*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
`,
}

func completionCommand(s *session) *cli.Command {
	return command(&cli.Command{
		Name:      "completion",
		Category:  categorySetup,
		Usage:     "print the completion script of bash, zsh, fish or powershell",
		ArgsUsage: "SHELL",
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return ui.UsageFault("completion needs the name of a shell: "+strings.Join(shells, ", "), "impasto completion bash")
			}
			script, ok := completionScripts[c.Args().First()]
			if !ok {
				return ui.UsageFault(fmt.Sprintf("no completion for shell %q; there are %s", c.Args().First(), strings.Join(shells, ", ")),
					ui.Suggest("impasto completion ", c.Args().First(), shells)...)
			}
			_, err := io.WriteString(s.stdout, script)
			return err
		},
	})
}

// complete writes the words that can replace the last word.
func complete(w io.Writer, app *cli.App, words []string) {
	last := ""
	if n := len(words); n > 0 {
		last, words = words[n-1], words[:n-1]
	}
	if slices.Contains(words, "--") {
		return // files only
	}
	var l line
	l.takeCommand(app, slices.Clone(words))
	var found []string
	switch {
	case l.cmd == nil || len(l.cmd.Subcommands) > 0:
		for _, c := range l.commands(app) {
			if !c.Hidden {
				found = append(found, c.Name)
			}
		}
	case len(words) > 0 && choicesOf(words[len(words)-1], l.cmd.Name) != nil:
		found = choicesOf(words[len(words)-1], l.cmd.Name)
	case strings.HasPrefix(last, "-"):
		for _, n := range flagSet(l.cmd.Flags).names() {
			found = append(found, "--"+n)
		}
	case l.cmd.Name == "completion":
		found = shells
	}
	for _, f := range found {
		if strings.HasPrefix(f, last) {
			fmt.Fprintln(w, f)
		}
	}
}

// choicesOf lists the values of a flag that has only a few.
func choicesOf(word, command string) []string {
	name, _, hasValue := flagWord(word)
	if hasValue {
		return nil
	}
	if list := flagChoices[name]; list != nil {
		return list
	}
	mode, _ := settings.CommandMode(command)
	for _, s := range settings.All() {
		if s.In(mode) && slices.Contains(s.Names(), name) {
			return s.ChoicesFor(mode)
		}
	}
	return nil
}

// flagChoices are the values of flags that are not settings.
var flagChoices = map[string][]string{
	"state":   {"queued", "running", "done", "failed", "cancelled"},
	"class":   {farm.ClassCPU, farm.ClassGPU},
	"work":    append(slices.Clone(bench.Kinds), workThroughput),
	"presets": style.PresetNames(),
}
