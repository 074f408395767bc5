package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
)

// TestStudioIsKilled kills the studio in the middle of a picture: after the next
// start the same browser goes on, and the picture is that of an undisturbed run.
func TestStudioIsKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: paints for some seconds")
	}
	folder := t.TempDir()
	first := startStudio(t, folder)
	browser, base := first.enter(t), first.base
	job := postStudio(t, browser, base, "/api/jobs", `{"mode":"texture","styles":["sample:mosaic"],"settings":{"size":"96x80","iterations":"60","weights":"mini","seed":"7","scales":"1"}}`)
	id := job["job"].(map[string]any)["id"].(string)

	waitFor(t, func() bool { j := jobOf(t, browser, base, id); return j.Moment.Iter > 20 || j.State == "done" })
	first.kill()

	if again := startStudio(t, folder); again.base != base {
		t.Fatalf("the studio moved from %s to %s: strokes are kept by address", base, again.base)
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
	if rec.Result.Iterations != 60 || rec.Result.Stopped != "" {
		t.Errorf("the picture has %d iterations, %q", rec.Result.Iterations, rec.Result.Stopped)
	}
	other := filepath.Join(t.TempDir(), "undisturbed.png")
	var out bytes.Buffer
	if code := run([]string{"impasto", "texture", "sample:mosaic", "--size=96x80", "--iterations=60", "--weights=mini", "--seed=7", "--scales=1", "--device=cpu", "-q", "-o", other},
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

// studioProcess is a studio that runs as a user starts it.
type studioProcess struct {
	address string // with its token
	base    string
	kill    func() // -9
}

// startStudio starts one on a folder; the test's end kills it.
func startStudio(t *testing.T, folder string, more ...string) *studioProcess {
	t.Helper()
	c := exec.Command(theCommand(t), append([]string{"studio", folder, "--threads", "2", "--lease", "3s"}, more...)...)
	c.Env = append(os.Environ(), "IMPASTO_STATE="+t.TempDir(), "IMPASTO_QUEUE=")
	var problems bytes.Buffer
	c.Stderr = &problems
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		kill()
		t.Fatalf("%v: %s", err, problems.String())
	}
	address := strings.TrimSpace(line)
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &studioProcess{address, "http://" + at.Host, kill}
}

// enter changes the token for a cookie, as a browser does.
func (p *studioProcess) enter(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	r, err := browser.Get(p.address)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return browser
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

// studioJob is what the page is told of a job.
type studioJob struct {
	ID, State, Error, Output, Text string
	Fraction                       float64
	Saved                          int64
	Preview                        int64
	Moment                         struct{ Iter int }
	Curve                          []float64
}

// jobOf asks for a job; one that failed ends the test.
func jobOf(t *testing.T, browser *http.Client, base, id string) studioJob {
	t.Helper()
	a, err := browser.Get(base + "/api/jobs")
	if err != nil {
		return studioJob{}
	}
	defer a.Body.Close()
	var list []studioJob
	if err := json.NewDecoder(a.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	for _, j := range list {
		if j.ID == id && j.State == "failed" {
			t.Fatal(j.Error)
		}
		if j.ID == id {
			return j
		}
	}
	return studioJob{}
}

// waitFor waits until what is true: ten minutes, for a busy machine is slow and not
// wrong, or until shortly before the tests' own limit, which would run no cleanup.
func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	limit := time.Now().Add(10 * time.Minute)
	if end, ok := t.Deadline(); ok && end.Before(limit) {
		limit = end.Add(-20 * time.Second)
	}
	for !what() {
		if time.Now().After(limit) {
			t.Fatal("it did not happen within minutes")
		}
		time.Sleep(50 * time.Millisecond)
	}
}
