package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// TestStudioGoesOnFromACheckpoint kills the studio after the queue has taken a
// checkpoint: after the next start the job goes on from there.
func TestStudioGoesOnFromACheckpoint(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: waits for a checkpoint")
	}
	folder := t.TempDir()
	first := startStudio(t, folder, "--no-browser")
	browser, base := first.enter(t), first.base
	made := postStudio(t, browser, base, "/api/jobs", `{"mode":"texture","styles":["sample:mosaic"],"settings":{"size":"256","iterations":"100000","weights":"mini","scales":"1"}}`)
	id := made["job"].(map[string]any)["id"].(string)
	look := func() studioJob { return jobOf(t, browser, base, id) }

	// Wait for a checkpoint made when the loss was a quarter of the first loss.
	var j studioJob
	waitFor(t, func() bool { j = look(); n := len(j.Curve); return n > 0 && j.Curve[n-1] < j.Curve[0]/4 })
	before := j.Saved
	waitFor(t, func() bool { j = look(); return j.Saved > before && j.Preview > 0 })
	before = j.Saved // it may have been made just before
	waitFor(t, func() bool { return look().Saved > before })
	first.kill()

	startStudio(t, folder, "--no-browser")
	var again studioJob
	waitFor(t, func() bool { again = look(); return len(again.Curve) > 0 })
	// A run from the beginning would have the first loss of the one before.
	if again.Curve[0] > j.Curve[0]/2 {
		t.Errorf("the second process began with a loss of %g, the first with %g: it did not go on from the checkpoint", again.Curve[0], j.Curve[0])
	}

	// Stopped by hand, the picture is kept as it is.
	postStudio(t, browser, base, "/api/jobs/keep", fmt.Sprintf(`{"id":%q}`, id))
	waitFor(t, func() bool { _, err := os.Stat(folder + "/mosaic.png"); return err == nil && look().State == "paused" })
}

// TestStudioIsKilledInAStroke kills the studio while a stroke is drawn in a
// browser, and starts it again: every stroke is there, also those that were drawn
// while nobody answered, and the page goes on without a new token.
func TestStudioIsKilledInAStroke(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: a browser is not started in short mode")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIPPED: needs chromium, which is not installed (scripts/bootstrap installs it)")
	}
	folder := t.TempDir()
	first := startStudio(t, folder, "--no-browser")
	b := openTab(t, chromium)
	b.do(chromedp.Navigate(first.address))
	b.wait(`document.body?.dataset.ready === "yes"`)

	b.stroke(0.9, nil)
	b.stroke(0.2, first.kill) // in the middle of it
	b.stroke(0.5, nil)
	b.wait(`document.querySelector("#connection").textContent !== ""`)
	const canvas = `impasto.doc.canvas.labels.reduce((h, l) => Math.imul(h, 31) + l | 0, 0) + " " + impasto.doc.at`
	drawn := b.text(canvas)

	again := startStudio(t, folder, "--no-browser")
	if again.base != first.base {
		t.Fatalf("the studio moved from %s to %s: strokes are kept by address", first.base, again.base)
	}
	b.wait(`document.querySelector("#connection").textContent === ""`)
	b.do(chromedp.Reload())
	b.wait(`document.body?.dataset.ready === "yes"`)
	if got := b.text(canvas); got != drawn {
		t.Errorf("the canvas and its steps are %s after the restart, %s before", got, drawn)
	}
	// And what is drawn can be painted by the process that is there now.
	b.wait(`impasto.line.textContent.includes("impasto doodle")`)
}

// tab is a browser with the studio in it.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func openTab(t *testing.T, path string) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1280, 720), chromedp.WSURLReadTimeout(2*time.Minute), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	base, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, close := chromedp.NewContext(base)
	ctx, late := context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(func() { late(); close(); stop() })
	b := &tab{t, ctx}
	b.do(chromedp.EmulateViewport(1280, 720))
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// text evaluates a script to a string.
func (b *tab) text(script string) string {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+script+")"))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return v
}

// wait waits until a script is true.
func (b *tab) wait(script string) {
	b.t.Helper()
	waitFor(b.t, func() bool {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+script+")"))
		return err == nil && ok
	})
}

// stroke draws across the canvas at a height of 0..1; midway something happens.
func (b *tab) stroke(y float64, midway func()) {
	b.t.Helper()
	at, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]float64](`(() => { const v = impasto.views.canvas, r = v.over.getBoundingClientRect(), m = v.map;
		return [r.left + v.x, r.top + v.y, m.w * v.scale, m.h * v.scale]; })()`))
	if err != nil {
		b.t.Fatal(err)
	}
	held := func(e *input.DispatchMouseEventParams) { e.Buttons = 1 }
	x, y := func(share float64) float64 { return at[0] + share*at[2] }, at[1]+y*at[3]
	b.do(chromedp.MouseEvent(chromedp.MousePressed, x(0.1), y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent(chromedp.MouseMoved, x(0.4), y, chromedp.ButtonLeft, held))
	if midway != nil {
		midway()
	}
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, x(0.8), y, chromedp.ButtonLeft, held),
		chromedp.MouseEvent(chromedp.MouseReleased, x(0.8), y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}
