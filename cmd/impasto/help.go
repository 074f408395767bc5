package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/impasto/impasto/internal/settings"
	"github.com/impasto/impasto/style"
)

// Help fits on a screen of 24 lines: what the command does, two examples to copy,
// and the most used flags. --help-all explains every flag.

// examples are shown in the help of each command.
var examples = map[string][2]string{
	"art":         {"impasto art photo.jpg painting.jpg", "impasto art photo.jpg a.jpg b.jpg --style-weights 3,7 -o '{content}__{style}.png'"},
	"patch":       {"impasto patch photo.jpg painting.jpg", "impasto patch photo.jpg painting.jpg --preset cnnmrf"},
	"doodle":      {"impasto doodle painting.jpg --map doodle.png", "impasto doodle painting.jpg --content photo.jpg"},
	"analogy":     {"impasto analogy map.png painting.jpg edited.png", "impasto analogy --edit edited.png painting.jpg"},
	"texture":     {"impasto texture painting.jpg --size 512x512", "impasto texture painting.jpg --seed 7 -o wallpaper.png"},
	"video":       {"impasto video film.mp4 painting.jpg -o out.mp4", "impasto video frames/ painting.jpg -o painted/ --dry-run"},
	"demo":        {"impasto demo", "impasto demo --content still-life --style mosaic"},
	"studio":      {"impasto studio", "impasto studio pictures/ --no-browser"},
	"samples":     {"impasto samples", "impasto samples pictures/ --size 640"},
	"map":         {"impasto map derive painting.jpg -k 6", "impasto map lint painting_sem.png photo_sem.png"},
	"map derive":  {"impasto map derive painting.jpg", "impasto map derive photo.jpg -k 4 -o canvas_sem.png"},
	"map lint":    {"impasto map lint painting_sem.png photo_sem.png", "impasto map lint painting_sem.png --strict"},
	"map repair":  {"impasto map repair photo_sem.png -o photo_sem.png -y", "impasto map repair painting_sem.png photo_sem.png -o fixed/"},
	"map recolor": {"impasto map recolor photo_sem.png azure=red", "impasto map recolor photo_sem.png '#0000ff=#ff8000' -y"},
	"map merge":   {"impasto map merge photo_sem.png azure cyan", "impasto map merge photo_sem.png '#0000ff' '#00ffff' -y"},
	"map fit":     {"impasto map fit photo_sem.png --to photo.jpg -y", "impasto map fit map.png --to 1024x768 --crop -o large_sem.png"},
	"map apply":   {"impasto map apply why/matches.json painting.jpg", "impasto map apply why/matches.json scan.tif -s 4x -o large.png"},
	"map mask":    {"impasto map mask photo_sem.png face --soft 8", "impasto map mask photo_sem.png sky sea -o mask.png -y"},
	"map view":    {"impasto map view painting_sem.png", "impasto map view painting_sem.png --over painting.jpg -o seen.png"},
	"replay":      {"impasto replay out.png --verify", "impasto replay out.png --set size=1024 -o larger.png"},
	"recipe":      {"impasto recipe show out.png", "impasto recipe diff a.png b.png"},
	"compare":     {"impasto compare a.png b.png", "impasto compare a.png b.png --min-psnr 40 --diff diff.png"},
	"weights":     {"impasto weights ls", "impasto weights get vgg19"},
	"devices":     {"impasto devices", "impasto devices --json"},
	"doctor":      {"impasto doctor", "impasto doctor --json"},
	"bench":       {"impasto bench", "impasto bench --work throughput -o bench.html"},
	"config":      {"impasto config show --origin", "impasto config init"},
	"completion":  {"source <(impasto completion bash)", "impasto completion fish > ~/.config/fish/completions/impasto.fish"},
	"man":         {"impasto man man1/", "impasto man /usr/local/share/man/man1"},
	"version":     {"impasto version", "impasto version --json"},
	"recipe show": {"impasto recipe show out.png", "impasto recipe show out.png --json"},

	"batch":        {"impasto batch run jobs.yaml", "impasto batch submit jobs.yaml --queue nats://HOST:4222 --wait"},
	"batch check":  {"impasto batch check jobs.yaml", "impasto batch check jobs.yaml -v"},
	"schema":       {"impasto schema > manifest.schema.json", "impasto schema | head"},
	"batch run":    {"impasto batch run jobs.yaml", "impasto batch run jobs.yaml --workers 2 --report report.json"},
	"batch submit": {"impasto batch submit jobs.yaml", "impasto batch submit jobs.yaml --queue nats://HOST:4222 --wait"},
	"queue":        {"impasto queue ls", "impasto queue retry --state failed"},
	"queue ls":     {"impasto queue ls", "impasto queue ls --batch jobs.yaml --state failed"},
	"queue show":   {"impasto queue show coast", "impasto queue show 3f2a --json"},
	"queue watch":  {"impasto queue watch", "impasto queue watch --batch jobs.yaml --progress plain"},
	"queue retry":  {"impasto queue retry coast", "impasto queue retry --state failed"},
	"queue cancel": {"impasto queue cancel coast", "impasto queue cancel --batch jobs.yaml"},
	"queue prune":  {"impasto queue prune --older 30d --keep-failed", "impasto queue prune --older 12h"},
	"queue rm":     {"impasto queue rm --state done", "impasto queue rm --batch jobs.yaml"},
	"queue fetch":  {"impasto queue fetch --batch jobs.yaml", "impasto queue fetch coast --into pictures/"},
	"queue serve":  {"impasto queue serve --listen 0.0.0.0:4222", "impasto queue serve --listen 0.0.0.0:4222 --token-file farm.token"},
	"worker":       {"impasto worker", "impasto worker --queue nats://HOST:4222 --token-file farm.token --metrics :9100"},
}

func printHelp(w io.Writer, app *cli.App, l line) {
	switch {
	case l.cmd == nil:
		appHelp(w, app)
	case len(l.cmd.Subcommands) > 0:
		groupHelp(w, l)
	default:
		commandHelp(w, l)
	}
}

func appHelp(w io.Writer, app *cli.App) {
	fmt.Fprintf(w, "impasto %s - %s\n\n", shortVersion(), app.Usage)
	for _, e := range examples["art"] {
		fmt.Fprintf(w, "  %s\n", e)
	}
	fmt.Fprintln(w)
	for _, category := range []string{categoryPaint, categoryPicture, categoryFarm, categorySetup} {
		fmt.Fprintf(w, "%s\n", category)
		var row, names []string
		for _, c := range app.Commands {
			if c.Category == category && !c.Hidden {
				row = append(row, fmt.Sprintf("  %-10s %s", c.Name, c.Usage))
				names = append(names, c.Name)
			}
		}
		if category == categorySetup || category == categoryFarm { // the screen has 24 lines
			fmt.Fprintf(w, "  %s\n", strings.Join(names, ", "))
			continue
		}
		fmt.Fprintln(w, strings.Join(row, "\n"))
	}
	fmt.Fprintf(w, "impasto COMMAND --help   flags stand anywhere   exit codes: impasto version --exit-codes\n")
}

func groupHelp(w io.Writer, l line) {
	name := strings.Join(l.path, " ")
	fmt.Fprintf(w, "impasto %s - %s\n\n", name, l.cmd.Usage)
	writeExamples(w, name)
	widest := 0
	for _, c := range l.cmd.Subcommands {
		widest = max(widest, len(c.ArgsUsage))
	}
	for _, c := range l.cmd.Subcommands {
		writeWrapped(w, fmt.Sprintf("  %-8s %-*s ", c.Name, widest, c.ArgsUsage), c.Usage)
	}
}

func commandHelp(w io.Writer, l line) {
	name := strings.Join(l.path, " ")
	fmt.Fprintf(w, "impasto %s - %s\n", name, l.cmd.Usage)
	fmt.Fprintf(w, "usage: impasto %s [flags]\n\n", strings.TrimSpace(name+" "+l.cmd.ArgsUsage))
	writeExamples(w, name)
	if l.helpAll && l.cmd.Description != "" {
		fmt.Fprintf(w, "%s\n\n", l.cmd.Description)
	}
	many := len(l.cmd.Flags) > 20
	left := 0
	for _, group := range append([]string{""}, settings.Groups...) {
		first := true
		for _, f := range l.cmd.Flags {
			d := f.(cli.DocGenerationFlag)
			if cat := f.(cli.CategorizableFlag).GetCategory(); cat != group {
				continue
			}
			full := f.Names()[0]
			hidden := !f.(cli.VisibleFlag).IsVisible()
			row := rowOf(l, full)
			if !l.helpAll && (hidden || many && !row.Main || !many && row.Common && full != "json") {
				left++
				continue
			}
			heading := ""
			if first && many {
				heading = group
			}
			first = false
			writeFlag(w, heading, many, f, d, l)
		}
	}
	if left > 0 && !l.helpAll {
		fmt.Fprintf(w, "\n%d more flags: impasto %s --help-all. A value in brackets at the end of a line is the default.\n", left, name)
	}
}

func writeExamples(w io.Writer, name string) {
	e, ok := examples[name]
	if !ok {
		return
	}
	fmt.Fprintf(w, "  %s\n  %s\n\n", e[0], e[1])
}

// writeFlag writes one line: group, names, value, what it does, default.
func writeFlag(w io.Writer, heading string, many bool, f cli.Flag, d cli.DocGenerationFlag, l line) {
	var short, long string
	for _, n := range f.Names() {
		switch {
		case len(n) == 1:
			short = "-" + n
		case long == "":
			long = "--" + n
		}
	}
	if short != "" && long != "" {
		short += ","
	}
	value, rest := placeholder(d.GetUsage())
	if def := defaultText(l, f.Names()[0]); def != "" {
		rest += " (" + def + ")"
	}
	margin := "  "
	if many {
		margin = fmt.Sprintf("%-13s", heading)
	}
	writeWrapped(w, fmt.Sprintf("%s%-3s %-25s ", margin, short, strings.TrimSpace(long+" "+value)), rest)
}

// helpWidth is the most columns of a line of help.
const helpWidth = 110

// writeWrapped writes a wrapped text after begin. Further lines start in the same
// column as the text.
func writeWrapped(w io.Writer, begin, text string) {
	line := begin
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= helpWidth:
			line += " " + word
		default:
			fmt.Fprintln(w, line)
			line = strings.Repeat(" ", utf8.RuneCountInString(begin)) + word
		}
	}
	fmt.Fprintln(w, line)
}

// rowOf returns the setting of a flag, or the zero value if the flag is not a
// setting.
func rowOf(l line, flag string) settings.Setting {
	mode, _ := settings.CommandMode(l.path[0])
	row, _ := settings.Find(flag, mode)
	return row
}

// The first screen of help omits defaults with more letters than the first limit.
// All help omits a method's default with more letters than the second, because it
// would not fit on a line.
const (
	shortDefault = 16
	longDefault  = 60
)

// defaultText returns the default of an option. It adds the default on a GPU, with
// the mini network or with another method, if that differs. The first screen omits
// long ones.
func defaultText(l line, name string) string {
	mode, paints := settings.CommandMode(l.path[0])
	s, ok := settings.Find(name, mode)
	if !ok || !paints || !s.Option() || name == "preset" {
		return ""
	}
	common := settings.Defaults(mode, "vgg19", "cpu")
	text := settings.OptionText(&common, name)
	if len(text) > shortDefault && !l.helpAll {
		return ""
	}
	for _, other := range []struct{ what, weights, device string }{{"GPU", "vgg19", "cuda"}, {"mini", "mini", "cpu"}} {
		o := settings.Defaults(mode, other.weights, other.device)
		if t := settings.OptionText(&o, name); t != text && t != "" {
			text += "; " + other.what + " " + t
			break
		}
	}
	if _, ok := settings.Find("method", mode); ok {
		o := common
		o.UseMethod(style.MethodNNST, "vgg19")
		t := settings.OptionText(&o, name)
		with := onOff(text) + "; nnst " + cmp.Or(onOff(t), "none")
		if name != "method" && t != settings.OptionText(&common, name) && (len(with) <= shortDefault || l.helpAll && len(t) <= longDefault) {
			return with
		}
	}
	return onOff(text)
}

// onOff returns "on" or "off" for the value of a switch, and other values
// unchanged.
func onOff(text string) string {
	switch text {
	case "true":
		return "on"
	case "false":
		return "off"
	}
	return text
}
