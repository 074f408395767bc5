package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/impasto/impasto/internal/picture"
)

// An older version's pictures, checkpoints and queues lie in testdata/before.

// olderFiles is a folder for a test, with the command and what it needs to
// compute as the older version did.
func olderFiles(t *testing.T) (dir string, run func(args ...string)) {
	if runtime.GOARCH != "amd64" {
		t.Skip("SKIPPED: other processors round otherwise")
	}
	dir = t.TempDir()
	program := theCommand(t)
	return dir, func(args ...string) {
		t.Helper()
		c := exec.Command(program, args...)
		c.Dir = dir
		c.Env = append(os.Environ(), "IMPASTO_SIMD=generic", "IMPASTO_STATE="+filepath.Join(dir, "state"), "IMPASTO_QUEUE=")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
}

func copyOlder(t *testing.T, name, to string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "before", name))
	if err == nil {
		err = os.WriteFile(to, data, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestOlderRecipeReplays(t *testing.T) {
	dir, run := olderFiles(t)
	for _, name := range []string{"painted.png", "painted2.png"} { // by the first two editions of mini
		copyOlder(t, name, filepath.Join(dir, name))
		run("replay", name, "--verify")
	}
}

func TestOlderCheckpointIsFinished(t *testing.T) {
	dir, run := olderFiles(t)
	copyOlder(t, "unfinished.png.checkpoint", filepath.Join(dir, "out.png.checkpoint"))
	args := []string{"art", "sample:lighthouse", "sample:woodblock", "-s", "40", "-n", "60", "--plateau", "0", "--optimizer", "adam", "--resume", "-o", "out.png", "--weights"}
	c := exec.Command(theCommand(t), append(args, "mini")...) // the mini of this version, not that of the checkpoint
	c.Dir = dir
	if out, err := c.CombinedOutput(); err == nil || !strings.Contains(string(out), "--weights mini:1   (with its weights)") {
		t.Errorf("with the weights of today: %v\n%s", err, out)
	}
	run(append(args, "mini:1")...)
	var both [2]*picture.Picture
	for i, path := range []string{filepath.Join(dir, "out.png"), filepath.Join("testdata", "before", "whole.png")} {
		p, _, err := picture.Read(path, picture.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		both[i] = p
	}
	if !slices.Equal(both[0].Pix, both[1].Pix) {
		t.Error("the picture differs from that of an undisturbed run")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.checkpoint*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestOlderQueueIsFinished(t *testing.T) {
	dir, run := olderFiles(t)
	f, err := os.Open(filepath.Join("testdata", "before", "queue.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(z); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.FileInfo().IsDir() {
			err = os.MkdirAll(path, 0o700)
		} else {
			var data []byte
			if data, err = io.ReadAll(files); err == nil {
				err = os.WriteFile(path, data, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run("worker", "--queue", "store", "--until-empty", "--device", "cpu")
	run("queue", "fetch", "--all", "--queue", "store", "--into", "pictures", "-y")
	for _, name := range []string{"woodblock-1.png", "woodblock-2.png", "chain.png"} {
		p, _, err := picture.Read(filepath.Join(dir, "pictures", name), picture.ReadOptions{})
		if err != nil || p.W != 56 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
