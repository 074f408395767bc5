package studio

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/job"
	"github.com/impasto/impasto/internal/maps"
)

// walks are what a person does in the page, each on a server of its own.
var walks []walk

type walk struct {
	name   string
	paints bool // really: others have an engine that is done at once
	run    func(t *testing.T, s *server, p *page)
}

func init() {
	walks = []walk{
		{"a doodle of one's own map", true, walkDoodle},
		{"reload, and a server that dies", false, walkDeath},
		{"a thousand gestures", false, walkGestures},
		{"keys alone", false, walkKeys},
		{"every way of painting", false, walkModes},
		{"compare and import a recipe", false, walkLook},
		{"stop, go on and paint over", false, walkJobs},
		{"two fingers", false, walkTouch},
	}
}

// TestBrowser walks through the page in a browser, by the gestures of a person.
func TestBrowser(t *testing.T) {
	p := openBrowser(t, 1280, 720)
	for _, w := range walks {
		t.Run(w.name, func(t *testing.T) {
			p.t = t
			var s *server
			if w.paints {
				painter := NewPainter(job.NewEnv("test"), job.Place{Device: "cpu", Class: farm.ClassCPU})
				defer painter.Release()
				s = serverOf(t, painter)
			} else {
				s = newServer(t)
			}
			w.run(t, s, p)
			p.quiet()
		})
	}
}

// walkDoodle goes from the first start to a picture of a map of one's own.
func walkDoodle(t *testing.T, s *server, p *page) {
	p.open(s.URL + "/?token=" + s.studio.Token())
	if at := eval[string](p, "location.search"); at != "" {
		t.Errorf("the token stays in the address: %q", at)
	}
	p.shot("first")
	sky := p.share("canvas", "sky")

	// A stroke of the first region across the hills; undone and done again.
	p.drag("canvas", 0.3, 0.9, 0.5, 0.8, 0.7, 0.9)
	painted := p.share("canvas", "sky")
	if painted <= sky {
		t.Fatalf("the stroke painted nothing: sky %.3f, then %.3f", sky, painted)
	}
	p.press("z", chromedp.ModifierCtrl)
	if got := p.share("canvas", "sky"); got != sky {
		t.Errorf("undo leaves %.4f of sky, want %.4f", got, sky)
	}
	p.press("z", chromedp.ModifierCtrl, chromedp.ModifierShift)
	if got := p.share("canvas", "sky"); got != painted {
		t.Errorf("redo gives %.4f of sky, want %.4f", got, painted)
	}

	// The brush grows by ], the lasso takes the region of key 5.
	before := eval[int](p, "impasto.toolbox.size")
	p.press("]")
	if eval[int](p, "impasto.toolbox.size") <= before {
		t.Error("] does not enlarge the brush")
	}
	p.press("l")
	p.press("5")
	sun := p.share("canvas", "sun")
	p.drag("canvas", 0.1, 0.1, 0.3, 0.1, 0.3, 0.3, 0.1, 0.3)
	if p.share("canvas", "sun") < sun+0.03 {
		t.Error("the lasso filled nothing")
	}

	// A region that the painting does not have is told in place, and mended.
	p.wait(`!impasto.stale`) // what the checks say moves the buttons below
	p.clickText("+ Region")
	p.press("g")
	p.drag("canvas", 0.6, 0.85)
	p.wait(`impasto.checks.findings.some(f => f.code === "canvas_only")`)
	p.shot("checks")
	p.clickText("Use the nearest region")
	p.wait(`!impasto.checks.findings.some(f => f.code === "canvas_only")`)
	for eval[bool](p, `impasto.checks.findings.some(f => f.code === "specks")`) {
		p.clickText("Clear the specks")
		time.Sleep(200 * time.Millisecond)
	}

	// A map is derived of the painting, and taken back.
	p.click("#painting-foot .derive button")
	p.wait(`impasto.doc.steps.at(-1).what === "a map of 6 regions"`)
	p.press("z", chromedp.ModifierCtrl)
	// The slider asks for another number, and the map has no more.
	p.do(chromedp.Focus(`#painting-foot .derive input`))
	for range 2 {
		p.press(kb.ArrowLeft)
	}
	p.wait(`impasto.doc.steps.at(-1).what === "a map of 4 regions"`)
	if n := eval[int](p, `new Set(impasto.doc.painting.labels).size`); n < 2 || n > 4 {
		t.Errorf("a map of 4 regions has %d", n)
	}
	eval[chromedp.Void](p, `while (impasto.doc.steps[impasto.doc.at - 1].what.startsWith("a map of")) impasto.undo()`)
	eval[chromedp.Void](p, `document.activeElement.blur()`)

	// Paint; a preview is marked as one, and the picture comes.
	p.press(kb.Enter, chromedp.ModifierCtrl)
	p.wait(`document.querySelector("#picture-box .stamp")?.textContent === "Preview" && document.querySelector("#picture-box img").naturalWidth > 0`)
	p.shot("preview")
	p.do(chromedp.Reload())
	p.wait(`document.body?.dataset.ready === "yes"`)
	if got := p.share("canvas", "sun"); got < sun+0.03 {
		t.Error("the reload lost the map")
	}
	p.wait(`impasto.strip.results.length === 1`)
	for _, name := range []string{"my-map_sem.png", "strokes_sem.png", "my-map__strokes.png"} {
		if _, err := os.Stat(filepath.Join(s.folder, name)); err != nil {
			t.Error(err)
		}
	}
	if p.shot("doodle"); eval[string](p, `impasto.strip.results[0].mode`) != "doodle" {
		t.Error("the result is no doodle")
	}
	checkPalette(t, filepath.Join(s.folder, "my-map_sem.png"), eval[[]string](p, "impasto.doc.regions.map(r => r.colour)"))
}

// checkPalette fails if a map has a colour that no region has.
func checkPalette(t *testing.T, path string, colours []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	paletteOnly(t, img, colours)
}

func paletteOnly(t *testing.T, img image.Image, colours []string) {
	t.Helper()
	known := map[color.Color]bool{}
	for _, text := range colours {
		c, err := maps.ParseColour(text)
		if err != nil {
			t.Fatal(err)
		}
		known[c] = true
	}
	b := img.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			if c := color.NRGBAModel.Convert(img.At(x, y)); !known[c] {
				t.Fatalf("pixel %d,%d is %v, which no region is", x, y, c)
			}
		}
	}
}

// walkDeath reloads in the middle of a render and between strokes, and kills the
// server in both.
func walkDeath(t *testing.T, s *server, p *page) {
	s.engine.iterations, s.engine.pause, s.engine.end = 100000, 30*time.Millisecond, make(chan struct{})
	p.open(s.URL + "/?token=" + s.studio.Token())
	p.drag("canvas", 0.2, 0.9, 0.8, 0.9)
	p.clickText("Paint")
	p.wait(`document.querySelector("#picture-box .stamp")?.textContent === "Preview"`)
	address := s.Listener.Addr().String()
	s.Listener.Close()
	s.CloseClientConnections()
	p.wait(`document.querySelector("#connection").textContent !== ""`)
	p.shot("away")
	p.drag("canvas", 0.2, 0.1, 0.8, 0.1) // painted while nobody answers
	want := p.share("canvas", "sky")
	s.revive(t, address)
	p.wait(`document.querySelector("#connection").textContent === ""`)
	p.do(chromedp.Reload())
	p.wait(`document.body?.dataset.ready === "yes"`)
	if got := p.share("canvas", "sky"); got != want {
		t.Errorf("after the server's death the canvas has %.4f of sky, want %.4f", got, want)
	}
	steps := eval[int](p, "impasto.doc.at")
	p.press("z", chromedp.ModifierCtrl)
	if eval[int](p, "impasto.doc.at") != steps-1 || p.share("canvas", "sky") >= want {
		t.Error("undo does not go on after a reload")
	}
	close(s.engine.end)
	p.wait(`impasto.strip.results.length === 1`)
}

// revive serves at an address again, as after a restart.
func (s *server) revive(t *testing.T, address string) {
	t.Helper()
	again := httptest.NewUnstartedServer(s.studio.Handler())
	l, err := listenAgain(address)
	if err != nil {
		t.Fatal(err)
	}
	again.Listener.Close()
	again.Listener = l
	again.Start()
	t.Cleanup(func() { again.CloseClientConnections(); again.Close() })
}

// walkGestures makes a thousand gestures drawn by a seed, through the events
// that a mouse sends, and takes them all back.
func walkGestures(t *testing.T, s *server, p *page) {
	p.open(s.URL + "/?token=" + s.studio.Token())
	state := `JSON.stringify([impasto.doc.regions, ...["painting", "canvas"].map(s => { let h = 0; for (const l of impasto.doc[s].labels) h = Math.imul(h, 31) + l | 0; return [impasto.doc[s].w, impasto.doc[s].h, h]; })])`
	start, from := eval[string](p, state), eval[int](p, "impasto.doc.at")
	for part := range 10 {
		eval[chromedp.Void](p, fmt.Sprintf(gestures, 1234+part, 100))
	}
	p.shot("gestures")
	wrong := eval[int](p, `["painting", "canvas"].reduce((n, s) => n + impasto.doc[s].labels.filter(l => l >= impasto.doc.regions.length).length, 0)`)
	if wrong > 0 {
		t.Errorf("%d pixels have no region", wrong)
	}
	file := eval[string](p, `import("/web/api.js").then(api => api.mapPNG(impasto.doc.wire("canvas"))).then(b => b.arrayBuffer()).then(b => btoa(Array.from(new Uint8Array(b), c => String.fromCharCode(c)).join("")))`)
	data, err := base64.StdEncoding.DecodeString(file)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	paletteOnly(t, img, eval[[]string](p, "impasto.doc.regions.map(r => r.colour)"))
	steps := eval[int](p, "impasto.doc.at")
	if steps < from+50 { // many are taken back on the way
		t.Errorf("only %d of the gestures changed anything", steps-from)
	}
	end := eval[string](p, state)
	eval[chromedp.Void](p, fmt.Sprintf("while (impasto.doc.at > %d) impasto.undo()", from))
	if eval[string](p, state) != start {
		t.Error("undo does not return to the start")
	}
	eval[chromedp.Void](p, fmt.Sprintf("while (impasto.doc.at < %d) impasto.redo()", steps))
	if eval[string](p, state) != end {
		t.Error("redo does not return to the end")
	}
}

// gestures sends pointer, wheel and key events to the maps; %d seeds, %d counts.
const gestures = `(async (seed, n) => {
	const rnd = () => (seed = Math.imul(seed, 1103515245) + 12345 & 0x7fffffff) / 0x7fffffff, pick = list => list[Math.floor(rnd() * list.length)];
	for (let k = 0; k < n; k++) {
		const view = impasto.views[pick(["painting", "canvas"])], o = view.over, r = o.getBoundingClientRect();
		const mods = { shiftKey: rnd() < 0.15, ctrlKey: rnd() < 0.15, altKey: rnd() < 0.1 };
		const at = () => ({ clientX: r.left + rnd() * r.width, clientY: r.top + rnd() * r.height, pointerId: 1, pointerType: pick(["mouse", "pen"]), bubbles: true, cancelable: true, detail: rnd() < 0.1 ? 2 : 1, ...mods });
		const send = (kind, more) => o.dispatchEvent(new PointerEvent(kind, { ...at(), ...more }));
		const key = (key, more) => o.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
		const what = rnd();
		if (what < 0.6) {
			key(pick("begplwsivlp".split("")));
			key(String(1 + Math.floor(rnd() * 9)));
			send("pointerdown", { button: rnd() < 0.05 ? 1 : 0, buttons: 1 });
			for (let i = rnd() * 6; i > 0; i--) send("pointermove", { buttons: 1 });
			send(rnd() < 0.05 ? "pointercancel" : "pointerup", {});
		} else if (what < 0.68) o.dispatchEvent(new WheelEvent("wheel", { deltaY: rnd() * 200 - 100, deltaX: rnd() < 0.2 ? 30 : 0, bubbles: true, cancelable: true, ...at() }));
		else if (what < 0.76) key("z", { ctrlKey: true, shiftKey: rnd() < 0.4 });
		else if (what < 0.84) key(pick(["ArrowUp", "ArrowLeft", "Enter", "Escape", "m", "h", "[", "]", "+", "-", "0"]), mods);
		else if (what < 0.88) impasto.doc.addRegion();
		else if (what < 0.91) { if (impasto.doc.regions.length > 3) impasto.doc.merge(0, impasto.doc.regions.length - 1); }
		else if (what < 0.94) impasto.doc.swap(0, 1, pick(["painting", "canvas"]));
		else if (what < 0.97) impasto.doc.recolour(0, pick(["#123456", "#ff8000", "#fedcba"]));
		else impasto.doc.rename(0, pick(["<b>x</b>", "sea", ""]));
		if (!(k & 15)) await new Promise(requestAnimationFrame);
	}
	impasto.toolbox.drop();
})(%d, %d)`

// walkKeys paints without a pointer, and looks whether everything has a name.
func walkKeys(t *testing.T, s *server, p *page) {
	p.open(s.URL + "/?token=" + s.studio.Token())
	eval[chromedp.Void](p, `document.querySelector("#canvas-box .over").focus()`)
	land := p.share("canvas", "land")
	p.press("2")
	p.press("b")
	for range 3 {
		p.press(kb.ArrowUp)
	}
	p.press(kb.Enter)
	one := p.share("canvas", "land")
	if one <= land {
		t.Error("Enter paints nothing")
	}
	for range 4 {
		p.press(kb.ArrowLeft, chromedp.ModifierCtrl)
	}
	if p.share("canvas", "land") <= one {
		t.Error("Ctrl with arrows draws nothing")
	}
	p.shot("keys")
	nameless := eval[[]string](p, `[...document.querySelectorAll("button, input, select, [role=slider], [role=application], img")].filter(e => e.getClientRects().length &&
		!(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length || e.title || e.hasAttribute("alt"))).map(e => e.outerHTML.slice(0, 120))`)
	if len(nameless) > 0 {
		t.Errorf("without a name for screen readers: %q", nameless)
	}
	// Tab reaches the tools, the maps, the regions and Paint.
	seen := map[string]bool{}
	eval[chromedp.Void](p, `document.activeElement.blur()`)
	for range 70 {
		p.press(kb.Tab)
		seen[eval[string](p, `(e => e?.dataset.tool || e?.closest("#canvas-box")?.id || e?.dataset.key || (e?.classList.contains("primary") ? "paint" : "") || e?.id || "")(document.activeElement)`)] = true
	}
	for _, want := range []string{"brush", "canvas-box", "swatch0", "paint", "to-gallery"} {
		if !seen[want] {
			t.Errorf("Tab does not reach %s", want)
		}
	}
	eval[chromedp.Void](p, `document.activeElement.blur()`) // in a field, ? is text
	p.press("?")
	p.wait(`document.querySelector("#keys").open`)
	p.shot("sheet")
	p.press(kb.Escape)
}

// walkModes looks at every mode in light and dark, and on a tablet.
func walkModes(t *testing.T, s *server, p *page) {
	p.open(s.URL + "/?token=" + s.studio.Token())
	for _, mode := range Modes {
		p.click(`#modes [data-mode=` + string(mode) + `]`)
		p.wait(`document.querySelector("#controls .segments") && document.body.dataset.mode === "` + string(mode) + `"`)
		p.wait(`document.querySelector(".command code").textContent.includes("impasto ` + string(mode) + `")`)
		for _, size := range [][2]int64{{1280, 720}, {1024, 768}} {
			p.do(chromedp.EmulateViewport(size[0], size[1]))
			for _, dark := range []bool{true, false} {
				p.dark(dark)
				p.shot(fmt.Sprintf("mode-%s-%d-%s", mode, size[0], map[bool]string{true: "dark", false: "light"}[dark]))
			}
			if wide := eval[bool](p, `document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight`); wide {
				t.Errorf("%s does not fit %dx%d", mode, size[0], size[1])
			}
		}
		p.do(chromedp.EmulateViewport(1280, 720))
	}
	p.do(chromedp.EmulateViewport(820, 1180, chromedp.EmulateTouch))
	p.click(`#modes [data-mode=doodle]`)
	p.shot("tablet")
	if wide := eval[bool](p, `document.documentElement.scrollWidth > innerWidth`); wide {
		t.Error("the page does not fit a tablet")
	}
	p.do(chromedp.EmulateViewport(1280, 720))
	p.dark(false)
}

// walkLook compares two results and takes up the settings of one.
func walkLook(t *testing.T, s *server, p *page) {
	for _, weight := range []string{"1", "3"} {
		var made struct{ Job jobView }
		s.post(t, "/api/jobs", order{Mode: "art", Content: "sample:valley", Styles: []string{"sample:mosaic"}, Settings: map[string]string{"style-weight": weight}}, &made)
		s.waitJob(t, made.Job.ID, "done")
	}
	p.open(s.URL + "/?token=" + s.studio.Token())
	p.click("#to-gallery")
	p.wait(`document.querySelectorAll("#gallery .card").length === 2`)
	p.click("#gallery .card:nth-child(2) .line button")
	p.wait(`document.querySelector("#compare").dataset.mode === "slider" && document.querySelector(".facts caption")`)
	before := eval[float64](p, "impasto.gallery.compare.cut")
	p.do(chromedp.DragAndDropXY(eval[float64](p, `document.querySelector(".handle").getBoundingClientRect().x + 1`), 300, 1000, 300))
	if eval[float64](p, "impasto.gallery.compare.cut") == before {
		t.Error("the slider does not move")
	}
	differs := eval[[]string](p, `[...document.querySelectorAll(".facts tr")].map(r => [...r.children].map(c => c.textContent).join("|"))`)
	if !slices.Contains(differs, "style-weight|3|1") {
		t.Errorf("the settings of the two differ in %q", differs)
	}
	p.shot("compare")
	p.dark(true)
	p.do(chromedp.EmulateViewport(1024, 768))
	p.shot("compare-1024-dark")
	p.do(chromedp.EmulateViewport(1280, 720))
	p.dark(false)
	p.clickText("Side by side")
	p.wait(`document.querySelector("#compare").dataset.mode === "side"`)
	p.clickText("Blink")
	p.wait(`document.querySelector("#compare").dataset.mode === "blink"`)
	p.click("#gallery .card:nth-child(1) .stars button:nth-child(4)")
	p.wait(`impasto.gallery.list[0].rating === 4`)
	checkFilters(t, s, p)

	// A recipe that is dropped sets the controls and the mode.
	data, err := os.ReadFile(filepath.Join(s.folder, "valley__mosaic-2.png"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(base64.StdEncoding.EncodeToString(data))
	if err != nil {
		t.Fatal(err)
	}
	p.click("#to-gallery")
	eval[chromedp.Void](p, `(async text => {
		const file = new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], "from-a-friend.png", { type: "image/png" }), data = new DataTransfer();
		data.items.add(file);
		document.querySelector("#side").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
	})(`+string(text)+`)`)
	p.wait(`document.body.dataset.mode === "art" && "style-weight" in impasto.controls.of`)
	if _, err := os.Stat(filepath.Join(s.folder, ratingsFile)); err != nil {
		t.Error(err)
	}
}

// checkFilters chooses by rating, mode and painting in the gallery of walkLook,
// whose first picture has four stars.
func checkFilters(t *testing.T, s *server, p *page) {
	t.Helper()
	var made struct{ Job jobView }
	s.post(t, "/api/jobs", order{Mode: "texture", Styles: []string{"sample:strokes"}}, &made)
	s.waitJob(t, made.Job.ID, "done")
	p.wait(`document.querySelectorAll("#gallery .card").length === 3`)
	for _, c := range []struct {
		label, value string
		shown        []string
	}{
		{"Rating", "4", []string{"valley__mosaic-2.png"}},
		{"Rating", "5", []string{}},
		{"Way of painting", "texture", []string{"strokes.png"}},
		{"Way of painting", "art", []string{"valley__mosaic-2.png", "valley__mosaic.png"}},
		{"Painting", "strokes", []string{"strokes.png"}},
	} {
		choose := func(value string) {
			eval[chromedp.Void](p, fmt.Sprintf(`(e => { e.value = %q; e.dispatchEvent(new Event("change")); })(document.querySelector("#gallery [aria-label='%s']"))`, value, c.label))
		}
		choose(c.value)
		if got := eval[[]string](p, `[...document.querySelectorAll("#gallery .card img")].map(e => e.alt).sort()`); !slices.Equal(got, c.shown) {
			t.Errorf("%s %s shows %q, want %q", c.label, c.value, got, c.shown)
		}
		choose(map[bool]string{true: "0", false: ""}[c.label == "Rating"])
	}
}

// walkJobs pauses a picture, goes on, stops it and keeps it, paints over it and
// looks meanwhile at the preview and the loss curve.
func walkJobs(t *testing.T, s *server, p *page) {
	s.engine.iterations, s.engine.pause = 100000, 20*time.Millisecond
	p.open(s.URL + "/?token=" + s.studio.Token())
	p.click(`#modes [data-mode=texture]`)
	p.wait(`document.querySelector(".command code").textContent.includes("impasto texture")`)
	p.clickText("Paint")
	p.wait(`document.querySelector("#picture-box .stamp")?.textContent === "Preview" && document.querySelector("#picture-box img").naturalWidth > 0`)
	p.wait(`document.querySelector("#picture-facts p").textContent.includes("iteration")`)
	const drawn = `(c => c && c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some(v => v))(document.querySelector("#picture-facts canvas"))`
	p.wait(drawn)
	seen := eval[string](p, `document.querySelector("#picture-box img").src`)
	p.wait(fmt.Sprintf(`document.querySelector("#picture-box img").src !== %q`, seen)) // it is live
	p.shot("live")

	p.clickText("Pause")
	p.wait(`document.querySelector("#picture-box .stamp").textContent === "paused"`)
	p.clickText("Resume")
	p.wait(`document.querySelector("#picture-box .stamp").textContent === "Preview"`)
	p.clickText("Stop and keep")
	p.wait(`impasto.strip.results.length === 1 && impasto.strip.results[0].stopped`)
	kept := eval[string](p, `impasto.strip.results[0].name`)

	// The next picture begins with the one that was kept.
	s.engine.iterations, s.engine.pause = 3, 0
	p.click(`#strip .shot:not(.job)`)
	p.clickText("Paint over")
	p.wait(fmt.Sprintf(`document.querySelector(".command code").textContent.includes("--init=" + %q)`, kept))
	p.clickText("Paint")
	p.wait(`impasto.strip.results.length === 2`)
	var list []jobView
	s.get(t, "/api/jobs", &list)
	if last := list[len(list)-1]; !strings.Contains(last.Command, "--init="+kept) {
		t.Errorf("the second picture was painted by %q", last.Command)
	}
	p.clickText("Start afresh")
	p.wait(`!document.querySelector(".command code").textContent.includes("--init")`)
}

// walkTouch enlarges and moves a map by two fingers, and paints with one.
func walkTouch(t *testing.T, s *server, p *page) {
	p.do(chromedp.EmulateViewport(1024, 768, chromedp.EmulateTouch))
	p.open(s.URL + "/?token=" + s.studio.Token())
	touch := func(kind input.DispatchTouchEventType, places ...float64) {
		at := p.screen("canvas", places)
		fingers := []*input.TouchPoint{}
		for i := 0; i+1 < len(at); i += 2 {
			fingers = append(fingers, &input.TouchPoint{X: at[i], Y: at[i+1], ID: new(float64(i / 2))})
		}
		p.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: fingers})
			return chromedp.Void{}, err
		})
	}
	steps, scale := eval[int](p, "impasto.doc.at"), eval[float64](p, "impasto.views.canvas.scale")
	touch(input.DispatchTouchEventTypeTouchStart, 0.4, 0.5)
	touch(input.DispatchTouchEventTypeTouchStart, 0.4, 0.5, 0.6, 0.5)
	touch(input.DispatchTouchEventTypeTouchMove, 0.3, 0.5, 0.7, 0.5)
	touch(input.DispatchTouchEventTypeTouchEnd)
	p.wait(fmt.Sprintf("impasto.views.canvas.scale > %g", 1.3*scale))
	if got := eval[int](p, "impasto.doc.at"); got != steps {
		t.Errorf("two fingers painted %d strokes", got-steps)
	}
	x := eval[float64](p, "impasto.views.canvas.x")
	touch(input.DispatchTouchEventTypeTouchStart, 0.4, 0.5)
	touch(input.DispatchTouchEventTypeTouchStart, 0.4, 0.5, 0.6, 0.5)
	touch(input.DispatchTouchEventTypeTouchMove, 0.5, 0.5, 0.7, 0.5)
	touch(input.DispatchTouchEventTypeTouchEnd)
	p.wait(fmt.Sprintf("impasto.views.canvas.x > %g", x+10))
	p.press("0")
	p.press("2")
	touch(input.DispatchTouchEventTypeTouchStart, 0.4, 0.2)
	touch(input.DispatchTouchEventTypeTouchMove, 0.6, 0.2)
	touch(input.DispatchTouchEventTypeTouchEnd)
	p.wait(fmt.Sprintf("impasto.doc.at === %d", steps+1))
	p.do(chromedp.EmulateViewport(1280, 720))
}

// TestPageIsSmall bounds what a browser loads.
func TestPageIsSmall(t *testing.T) {
	total, packed := 0, 0
	for name, f := range webTable() {
		total += len(f.plain)
		packed += len(f.packed)
		if strings.HasSuffix(name, ".html") && bytes.Contains(f.plain, []byte("style=")) {
			t.Errorf("%s has style in an element, which the page's policy refuses", name)
		}
	}
	if total > 300<<10 {
		t.Errorf("the page is %d kB, of which %d are sent", total>>10, packed>>10)
	}
	t.Logf("the page is %d kB, %d kB as sent", total>>10, packed>>10)
}
