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

// Every hint that a script's command prints first is pasted: run in a copy of
// the directory it has to succeed, or to move on to another message, and to
// leave the user's files alone.

// otherPrograms may stand at the beginning of a hint. They are not run here.
var otherPrograms = []string{"magick", "convert", "ffmpeg", "ffprobe", "git", "apt", "tar", "unset", "export", "mv", "cp", "kill", "docker", "curl"}

var (
	hintLine        = regexp.MustCompile(`(?m)^  try: (.*)$`)
	messageLine     = regexp.MustCompile(`(?m)^impasto: (.*)$`)
	remark          = regexp.MustCompile(`   +\(.*$`)
	inFile          = regexp.MustCompile(`^[^ "]+\.(yaml|yml|json|jsonl|csv)(:[0-9]+)*: `)
	placeholderWord = regexp.MustCompile(`\b(CONTENT|STYLE|FILE|IMAGE|MAP|PAINTING|PICTURE|NAME|FOLDER|DIRECTORY|MANIFEST|JOB|PHOTO)\b`)
)

// pasteHint tries the first hint of what a failing command said, and returns
// what is wrong with it, "" if nothing is.
func pasteHint(dir string, args []string, said string) string {
	found := hintLine.FindStringSubmatch(said)
	messages := messageLine.FindAllStringSubmatch(said, -1)
	if found == nil || len(messages) == 0 || inFile.MatchString(messages[0][1]) {
		return ""
	}
	hint := remark.ReplaceAllString(found[1], "")
	complain := func(what string, a ...any) string {
		return fmt.Sprintf("%q said %q and hints %q, which %s", strings.Join(args, " "), messages[0][1], hint, fmt.Sprintf(what, a...))
	}
	if word := placeholderWord.FindString(hint); word != "" {
		return complain("has the word %s in it", word)
	}
	first, _, _ := strings.Cut(hint, " ")
	var command string
	switch {
	case slices.Contains(otherPrograms, first):
		return ""
	case first == "impasto", first == "mkdir":
		command = hint
	case strings.HasPrefix(hint, "-"):
		command = withHint(args, hint)
	default:
		return complain("is neither a command nor a flag")
	}
	copied, err := os.MkdirTemp("", "impasto-hint-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(copied)
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil && !os.IsExist(err) {
		return "" // links out of the directory, or files that come and go
	}
	here, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	below, _ := filepath.Rel(dir, here)
	command = strings.ReplaceAll(command, dir+"/", copied+"/")
	if name, rest, _ := strings.Cut(strings.TrimPrefix(command, "impasto "), " "); slices.Contains([]string{"art", "patch", "doodle", "analogy", "texture", "video", "replay"}, name) {
		command = "impasto " + name + " --dry-run " + rest
	}
	before := filesOf(copied)
	var out bytes.Buffer
	ctx := context.Background()
	if strings.HasPrefix(command, "impasto studio ") { // it serves until it is stopped: what still runs has moved on
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		command = "exec " + command
	}
	c := exec.CommandContext(ctx, "sh", "-c", command)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.Dir, c.Stdout, c.Stderr = filepath.Join(copied, below), &out, &out
	c.Env = append(os.Environ(), "HOME="+filepath.Join(copied, "home"), "PWD="+c.Dir)
	c.WaitDelay = 20 * time.Second
	err = c.Run()
	for path, sum := range before {
		if sumOfFile(filepath.Join(copied, path)) != sum {
			return complain("writes over %s", path)
		}
	}
	if err == nil {
		return ""
	}
	for _, m := range messageLine.FindAllStringSubmatch(strings.ReplaceAll(out.String(), copied, dir), -1) {
		if m[1] == messages[0][1] {
			return complain("ends in the same message")
		}
	}
	if !messageLine.MatchString(out.String()) && first == "impasto" {
		return complain("ends without a message: %s", out.String())
	}
	return ""
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
	return "impasto " + strings.Join(slices.Insert(words, at, hint), " ")
}

// shellWords takes a line apart as a shell would.
func shellWords(line string) ([]string, error) {
	out, err := exec.Command("sh", "-c", `for w in `+line+`; do printf '%s\0' "$w"; done`).Output()
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), err
}
