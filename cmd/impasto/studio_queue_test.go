//go:build !noserver

package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
)

// TestStudioOfAnotherQueue has a job of the page painted by a worker at a queue
// that is served elsewhere, and finds the picture in the folder.
func TestStudioOfAnotherQueue(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: starts three processes")
	}
	command, token := theCommand(t), filepath.Join(t.TempDir(), "token")
	process := func(args ...string) *exec.Cmd {
		c := exec.Command(command, args...)
		c.Env = append(os.Environ(), "IMPASTO_STATE="+t.TempDir(), "IMPASTO_QUEUE=")
		c.Stderr = os.Stderr
		t.Cleanup(func() {
			if c.Process != nil {
				_ = c.Process.Signal(syscall.SIGTERM)
				_ = c.Wait()
			}
		})
		return c
	}
	server := process("queue", "serve", "--listen", "127.0.0.1:0", "--queue", t.TempDir(), "--token-file", token, "--json")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var at struct{ URL string }
	if err := json.Unmarshal([]byte(line), &at); err != nil {
		t.Fatal(err)
	}

	// The job waits until there is a worker: the studio paints nothing itself.
	folder := t.TempDir()
	studio := startStudio(t, folder, "--no-browser", "--device", "cpu", "--queue", at.URL, "--token-file", token)
	browser := studio.enter(t)
	made := postStudio(t, browser, studio.base, "/api/jobs", `{"mode":"art","content":"sample:valley","styles":["sample:mosaic"],"settings":{"size":"64","iterations":"2","scales":"1","weights":"mini"}}`)
	id := made["job"].(map[string]any)["id"].(string)
	if j := jobOf(t, browser, studio.base, id); j.State != "queued" {
		t.Errorf("without a worker the job is %q", j.State)
	}
	worker := process("worker", "--device", "cpu", "--threads", "1", "--queue", at.URL, "--token-file", token, "-q")
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	var j studioJob
	waitFor(t, func() bool { j = jobOf(t, browser, studio.base, id); return j.State == "done" })
	if j.Fraction != 1 || j.Output != "valley__mosaic.png" {
		t.Errorf("the job ended as %+v", j)
	}
	text, err := picture.ReadRecipe(filepath.Join(folder, j.Output))
	if err != nil {
		t.Fatal(err)
	}
	if rec, err := recipe.Parse(text); err != nil || rec.Result.Iterations != 2 {
		t.Errorf("the picture has %d iterations, %v", rec.Result.Iterations, err)
	}

	// A longer one shows how far it is, and is stopped from here.
	made = postStudio(t, browser, studio.base, "/api/jobs", `{"mode":"texture","styles":["sample:mosaic"],"settings":{"size":"256","iterations":"100000","scales":"1","weights":"mini"}}`)
	id = made["job"].(map[string]any)["id"].(string)
	waitFor(t, func() bool {
		j = jobOf(t, browser, studio.base, id)
		return j.State == "running" && j.Fraction > 0 && strings.Contains(j.Text, "scale 1/1")
	})
	keep, err := http.NewRequest("POST", studio.base+"/api/jobs/keep", strings.NewReader(`{"id":"`+id+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	keep.Header.Set("Origin", studio.base)
	if a, err := browser.Do(keep); err != nil || a.StatusCode != http.StatusConflict {
		t.Errorf("an unfinished picture of a worker elsewhere was asked for: %v, %v", a, err)
	}
	postStudio(t, browser, studio.base, "/api/jobs/pause", `{"id":"`+id+`"}`)
	waitFor(t, func() bool { return jobOf(t, browser, studio.base, id).State == "paused" })
}
