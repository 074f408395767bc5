package studio

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browserTests is how many tests need a browser, for the line that says they
// were skipped.
const browserTests = 6

// chromium finds a browser, or skips loudly.
func chromium(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: a browser is not started in short mode")
	}
	for _, name := range []string{os.Getenv("IMPASTO_BROWSER"), "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skipf("SKIPPED: %d tests of the studio page need chromium, which is not installed (scripts/bootstrap installs it)", browserTests)
	return ""
}

// page is a browser's tab with the studio in it.
type page struct {
	t    *testing.T
	ctx  context.Context
	mu   sync.Mutex
	said []string // exceptions and errors of the page
}

// openBrowser starts a browser of its own, with an empty profile.
func openBrowser(t *testing.T, w, h int) *page {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(w, h), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	base, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, close := chromedp.NewContext(base)
	ctx, late := context.WithTimeout(ctx, 80*time.Second)
	p := &page{t: t, ctx: ctx}
	t.Cleanup(func() {
		late()
		close()
		stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, s := range p.said {
			t.Errorf("the page said: %s", s)
		}
	})
	p.do(chromedp.EmulateViewport(int64(w), int64(h)))
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() {
				p.mu.Lock()
				p.said = append(p.said, m.String())
				p.mu.Unlock()
			}
		}
	}()
	return p
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// open opens an address and waits until the page is ready.
func (p *page) open(address string) {
	p.t.Helper()
	p.do(chromedp.Navigate(address))
	p.wait(`document.body?.dataset.ready === "yes"`)
}

func eval[T any](p *page, script string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", script, err)
	}
	return v
}

// wait waits until a script is true.
func (p *page) wait(script string) {
	p.t.Helper()
	for range 300 {
		if ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("!!("+script+")", chromedp.EvalAwaitPromise)); err == nil && ok {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.shot("stuck")
	p.t.Fatalf("it did not come to %s", script)
}

// click clicks what a CSS selector finds.
func (p *page) click(selector string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("document.querySelector(%q)", selector))
	at := eval[[]float64](p, fmt.Sprintf(`(e => { e.scrollIntoView({block: "nearest"}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })(document.querySelector(%q))`, selector))
	p.do(chromedp.MouseClickXY(at[0], at[1]))
}

// clickText clicks the button with a text.
func (p *page) clickText(text string) {
	p.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("button, .button")].find(e => e.textContent.trim() === %q && e.getClientRects().length)`, text)
	p.wait(find)
	at := eval[[]float64](p, `(e => { e.scrollIntoView({block: "nearest"}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })(`+find+`)`)
	p.do(chromedp.MouseClickXY(at[0], at[1]))
}

func (p *page) press(keys string, modifiers ...chromedp.Modifier) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

// drag draws along points of a map, each 0..1 of its width and height.
func (p *page) drag(side string, points ...float64) {
	p.t.Helper()
	at := p.screen(side, points)
	steps := []chromedp.Action[chromedp.Void]{chromedp.MouseEvent(chromedp.MousePressed, at[0], at[1], chromedp.ButtonLeft, chromedp.ClickCount(1))}
	for i := 2; i < len(at); i += 2 {
		steps = append(steps, chromedp.MouseEvent(chromedp.MouseMoved, at[i], at[i+1], chromedp.ButtonLeft, buttonHeld))
	}
	steps = append(steps, chromedp.MouseEvent(chromedp.MouseReleased, at[len(at)-2], at[len(at)-1], chromedp.ButtonLeft, chromedp.ClickCount(1)))
	p.do(steps...)
}

// screen turns shares of a map into places on the screen.
func (p *page) screen(side string, points []float64) []float64 {
	p.t.Helper()
	return eval[[]float64](p, fmt.Sprintf(`(points => { const v = impasto.views[%q], r = v.over.getBoundingClientRect(), m = v.map;
		return points.map((q, i) => i %% 2 ? r.top + v.y + q * m.h * v.scale : r.left + v.x + q * m.w * v.scale); })(%s)`, side, jsonOf(points)))
}

// buttonHeld says that the left button is down while the mouse moves.
func buttonHeld(e *input.DispatchMouseEventParams) { e.Buttons = 1 }

func jsonOf(points []float64) string {
	return strings.ReplaceAll(fmt.Sprint(points), " ", ",")
}

// share is how much of a map a region covers, by its name.
func (p *page) share(side, region string) float64 {
	p.t.Helper()
	return eval[float64](p, fmt.Sprintf(`(d => { const i = d.regions.findIndex(r => r.name === %q), n = d.counts(%q); return i < 0 ? 0 : n[i] / (d[%[2]q].w * d[%[2]q].h); })(impasto.doc)`, region, side))
}

// shot keeps a picture of the page where IMPASTO_SHOTS names a folder.
func (p *page) shot(name string) {
	p.t.Helper()
	dir := os.Getenv("IMPASTO_SHOTS")
	if dir == "" {
		return
	}
	time.Sleep(300 * time.Millisecond) // pictures are drawn a frame later
	data, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Log(err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644); err != nil {
		p.t.Error(err)
	}
}

// dark sets what the page's reader prefers.
func (p *page) dark(on bool) {
	p.t.Helper()
	value := map[bool]string{true: "dark", false: "light"}[on]
	p.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}}})
		return chromedp.Void{}, err
	})
}

var _ = kb.Enter
var _ = http.StatusOK

func TestBrowserFirst(t *testing.T) {
	s := newServer(t)
	s.engine.iterations, s.engine.pause = 30, 50*time.Millisecond
	p := openBrowser(t, 1280, 720)
	p.open(s.URL + "/?token=" + s.studio.Token())
	p.shot("a-first")
	p.drag("canvas", 0.2, 0.3, 0.5, 0.5, 0.8, 0.3)
	p.press("l")
	p.drag("canvas", 0.2, 0.8, 0.5, 0.6, 0.8, 0.9, 0.3, 0.95)
	p.shot("b-stroke")
	p.clickText("Paint")
	p.wait(`document.body.classList.contains("is-preview")`)
	time.Sleep(700 * time.Millisecond)
	p.shot("c-paint")
	p.wait(`impasto.strip.results.length === 1`)
	p.shot("d-done")
	p.dark(true)
	for _, mode := range []string{"art", "patch", "texture", "analogy"} {
		p.click(`#modes [data-mode=` + mode + `]`)
		time.Sleep(400 * time.Millisecond)
		p.shot("e-" + mode)
	}
	p.click("#to-gallery")
	p.shot("f-gallery")
}
