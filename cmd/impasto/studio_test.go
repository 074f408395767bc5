package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
)

// TestStudioIsKilled kills the studio in the middle of a picture: after the next
// start the same browser goes on, and the picture is that of an undisturbed run.
func TestStudioIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: paints for some seconds")
	}
	folder := t.TempDir()
	command, state := theCommand(t), "IMPASTO_STATE="+t.TempDir()
	start := func() (address string, stop func()) {
		c := exec.Command(command, "studio", folder, "--no-browser", "--threads", "2", "--lease", "2s")
		c.Env = append(os.Environ(), state)
		var problems bytes.Buffer
		c.Stderr = &problems
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatalf("%v: %s", err, problems.String())
		}
		ended := false
		stop = func() {
			if !ended {
				ended = true
				_ = c.Process.Kill()
				_ = c.Wait()
			}
		}
		t.Cleanup(stop)
		return strings.TrimSpace(line), stop
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	address, kill := start()
	r, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	at, _ := url.Parse(address)
	base := "http://" + at.Host
	job := postStudio(t, browser, base, "/api/jobs", `{"mode":"texture","styles":["sample:mosaic"],"settings":{"size":"96x80","iterations":"150","weights":"mini","seed":"7","scales":"1"}}`)
	id := job["job"].(map[string]any)["id"].(string)

	waitFor(t, func() bool { return iteration(t, browser, base, id) > 20 })
	kill()

	again, _ := start()
	if b, _ := url.Parse(again); b.Host != at.Host {
		t.Fatalf("the studio moved from %s to %s: strokes are kept by address", at.Host, b.Host)
	}
	waitFor(t, func() bool { _, err := os.Stat(filepath.Join(folder, "mosaic.png")); return err == nil })
	text, err := picture.ReadRecipe(filepath.Join(folder, "mosaic.png"))
	if err != nil {
		t.Fatal(err)
	}
	rec, err := recipe.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Result.Iterations != 150 || rec.Result.Stopped != "" {
		t.Errorf("the picture has %d iterations, %q", rec.Result.Iterations, rec.Result.Stopped)
	}
	other := filepath.Join(t.TempDir(), "undisturbed.png")
	var out bytes.Buffer
	if code := run([]string{"impasto", "texture", "sample:mosaic", "--size=96x80", "--iterations=150", "--weights=mini", "--seed=7", "--scales=1", "--device=cpu", "-q", "-o", other},
		strings.NewReader(""), &out, &out); code != 0 {
		t.Fatal(out.String())
	}
	text, err = picture.ReadRecipe(other)
	if err != nil {
		t.Fatal(err)
	}
	straight, err := recipe.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Result.PixelSHA256 != straight.Result.PixelSHA256 {
		t.Error("the killed picture differs from an undisturbed one")
	}
}

// postStudio asks as the page does.
func postStudio(t *testing.T, browser *http.Client, base, path, body string) map[string]any {
	t.Helper()
	r, err := http.NewRequest("POST", base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", base)
	a, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, _ := io.ReadAll(a.Body)
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil || a.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", path, a.StatusCode, text)
	}
	return v
}

// iteration is how far a job is.
func iteration(t *testing.T, browser *http.Client, base, id string) int {
	t.Helper()
	a, err := browser.Get(base + "/api/jobs")
	if err != nil {
		return 0
	}
	defer a.Body.Close()
	var list []struct {
		ID, State, Error string
		Moment           struct{ Iter int }
	}
	if err := json.NewDecoder(a.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	for _, j := range list {
		if j.ID == id && j.State == "failed" {
			t.Fatal(j.Error)
		}
		if j.ID == id {
			return j.Moment.Iter
		}
	}
	return 0
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for range 600 {
		if what() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal(fmt.Errorf("it did not happen within half a minute"))
}
