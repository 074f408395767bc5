package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"al.essio.dev/pkg/shellescape"
)

// Every hint that a script's command prints is pasted: run in a copy of the
// directory it has to succeed, or to get past the message it stands under, and to
// leave the user's files alone.

// notRun begin hints that change more than a directory, or need a network.
var notRun = []string{"git", "apt", "curl", "docker", "kill", "impasto weights get", "did you mean"}

// runsOn begin commands that run until they are stopped: what still runs has
// moved on.
var runsOn = []string{"impasto studio ", "impasto queue serve", "impasto worker"}

var (
	hintLine        = regexp.MustCompile(`^  try: (.*)$`)
	messageLine     = regexp.MustCompile(`(?m)^impasto: (.*)$`)
	remark          = regexp.MustCompile(`   +\(.*$`)
	inFile          = regexp.MustCompile(`^[^ "]+\.(yaml|yml|json|jsonl|csv)(:[0-9]+)*: `)
	manifestKey     = regexp.MustCompile(`^[a-z-]+: `)
	placeholderWord = regexp.MustCompile(`\b(CONTENT|STYLE|FILE|IMAGE|MAP|PAINTING|PICTURE|NAME|FOLDER|DIRECTORY|MANIFEST|JOB|PHOTO|ID|STATE|HOST|PORT)\b`)
)

// A said is a message and the hints under it.
type said struct {
	message string
	hints   []string
}

// messagesOf takes apart what a command said.
func messagesOf(text string) (all []said) {
	for line := range strings.SplitSeq(text, "\n") {
		if m := messageLine.FindStringSubmatch(line); m != nil {
			all = append(all, said{message: m[1]})
		} else if h := hintLine.FindStringSubmatch(line); h != nil && len(all) > 0 {
			all[len(all)-1].hints = append(all[len(all)-1].hints, remark.ReplaceAllString(h[1], ""))
		}
	}
	return all
}

// pasteHints tries the hints of what a failing command said, and returns what is
// wrong with them.
func pasteHints(dir string, args []string, text string) (wrong []string) {
	for _, s := range messagesOf(text) {
		if inFile.MatchString(s.message) {
			continue // what to write into that file
		}
		for _, hint := range s.hints {
			if len(args) > 0 && args[0] == "batch" && manifestKey.MatchString(hint) {
				continue // what to write into the manifest
			}
			if what := pasteHint(dir, args, s.message, hint); what != "" {
				wrong = append(wrong, fmt.Sprintf("%q said %q and hints %q, which %s", strings.Join(args, " "), s.message, hint, what))
			}
		}
	}
	return wrong
}

// beginsWith reports whether a hint begins with one of the words.
func beginsWith(hint string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(hint+" ", w) })
}

// pasteHint tries one hint and returns what is wrong with it, "" if nothing is.
func pasteHint(dir string, args []string, message, hint string) string {
	if word := placeholderWord.FindString(hint); word != "" {
		return fmt.Sprintf("has the word %s in it", word)
	}
	first, _, _ := strings.Cut(hint, " ")
	_, err := exec.LookPath(first)
	var command string
	switch {
	case beginsWith(hint, notRun):
		return ""
	case first == "impasto":
		command = hint
	case strings.HasPrefix(hint, "-"):
		command = withHint(args, hint)
	case first == "unset" || first == "export":
		command = hint + "; " + withHint(args, "")
	case first == "magick" || first == "convert" || first == "ffmpeg" || first == "tar" || first == "mkdir" || first == "chmod":
		if err != nil {
			return ""
		}
		command = hint
	default:
		return "is neither a command nor a flag"
	}
	copied, err := os.MkdirTemp("", "impasto-hint-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(copied)
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil && !os.IsExist(err) {
		return "" // links out of the directory, or files that come and go
	}
	command = strings.ReplaceAll(command, dir+"/", copied+"/")
	before := filesOf(copied)
	said, err := runHint(dir, copied, command)
	for path, sum := range before {
		if sumOfFile(filepath.Join(copied, path)) != sum && !strings.Contains(hint+" ", "-y ") && !strings.Contains(hint, "replace") {
			return fmt.Sprintf("writes over %s", path)
		}
	}
	if err == nil {
		return ""
	}
	for _, s := range messagesOf(strings.ReplaceAll(said, copied, dir)) {
		if s.message == message {
			return "ends in the same message"
		}
	}
	if !messageLine.MatchString(said) {
		return fmt.Sprintf("ends without a message: %s", said)
	}
	return ""
}

// runHint runs a command in a copy of a directory and returns what it said.
func runHint(dir, copied, command string) (string, error) {
	here, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	below, _ := filepath.Rel(dir, here)
	before, program, found := strings.Cut(command, "impasto ")
	if name, rest, _ := strings.Cut(program, " "); found && slices.Contains([]string{"art", "patch", "doodle", "analogy", "texture", "video", "replay"}, name) {
		command = before + "impasto " + name + " --dry-run " + rest
	}
	ctx := context.Background()
	if beginsWith(command, runsOn) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		command = "exec " + command
	}
	var out bytes.Buffer
	c := exec.CommandContext(ctx, "sh", "-c", command)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.Dir, c.Stdout, c.Stderr = filepath.Join(copied, below), &out, &out
	c.Env = append(os.Environ(), "HOME="+filepath.Join(copied, "home"), "PWD="+c.Dir)
	c.WaitDelay = 20 * time.Second
	err = c.Run()
	if ctx.Err() != nil {
		err = nil
	}
	return out.String(), err
}

// withHint is the command line with the flags of a hint, in place of those it has.
func withHint(args []string, hint string) string {
	words := slices.Clone(args)
	said, _ := shellWords(hint)
	for _, w := range said {
		if name, _, _ := flagWord(w); name != "" {
			words = withoutFlag(words, name)
		}
	}
	for i := range words {
		words[i] = shellescape.Quote(words[i])
	}
	at := slices.Index(words, "--")
	if at < 0 {
		at = len(words)
	}
	if hint != "" {
		words = slices.Insert(words, at, hint)
	}
	return "impasto " + strings.Join(words, " ")
}

// shellWords takes a line apart as a shell would.
func shellWords(line string) ([]string, error) {
	out, err := exec.Command("sh", "-c", `for w in `+line+`; do printf '%s\0' "$w"; done`).Output()
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), err
}
