package studio

import (
	"context"
	"fmt"
	"net"
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
)

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
	t.Skipf("SKIPPED: %d tests of the studio's page need chromium, which is not installed (scripts/bootstrap installs it)", len(walks))
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
		chromedp.WindowSize(w, h), chromedp.WSURLReadTimeout(2*time.Minute), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	base, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, close := chromedp.NewContext(base)
	ctx, late := context.WithTimeout(ctx, 20*time.Minute)
	p := &page{t: t, ctx: ctx}
	t.Cleanup(func() { late(); close(); stop() })
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

// quiet fails if the page threw something.
func (p *page) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.said {
		p.t.Errorf("the page said: %s", s)
	}
	p.said = nil
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
	for end := time.Now().Add(6 * time.Minute); time.Now().Before(end); {
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

// listenAgain opens a port that was in use a moment ago.
func listenAgain(address string) (l net.Listener, err error) {
	for range 3000 {
		if l, err = net.Listen("tcp", address); err == nil {
			return l, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, err
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
