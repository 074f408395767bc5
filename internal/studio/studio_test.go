package studio

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/style"
)

// quick is an engine that paints nothing like a painting, at once: every
// iteration one brightness. It is what the page can be tried on in a moment.
type quick struct {
	iterations int
	pause      time.Duration // of an iteration
	begun      atomic.Int32  // attempts
	end        chan struct{} // ends one before its last iteration; may be nil
}

func (e *quick) Plan(_ context.Context, step []string) (Plan, error) {
	p := Plan{W: 48, H: 32, Seconds: 1, Class: farm.ClassCPU}
	for _, w := range step {
		_, path, _ := strings.Cut(w, "=")
		if path == "" {
			path = w
		}
		if filepath.IsAbs(path) && !strings.HasPrefix(w, "--output=") {
			p.Files = append(p.Files, path)
		}
	}
	return p, nil
}

func (e *quick) Do(ctx context.Context, t *farm.Task, show Display) error {
	e.begun.Add(1)
	out := outputOf(t.Steps[0])
	save := func(path string, v float32, rec string) error {
		p := picture.New(48, 32)
		for i := range p.Pix {
			p.Pix[i] = v
		}
		return picture.Save(path, p, picture.WriteOptions{Recipe: rec})
	}
	rec := recipe.Recipe{Version: recipe.Version, Program: "test", Mode: style.Mode(t.Steps[0][0]), Options: style.DefaultOptions(style.Mode(t.Steps[0][0]), "cpu", "mini")}
	for _, w := range t.Steps[0] {
		if name, ok := strings.CutPrefix(w, samplePrefix); ok {
			rec.Inputs = append(rec.Inputs, recipe.Input{Role: "style", Name: name, SHA256: strings.Repeat("0", 64), Bytes: 1})
		}
		if text, ok := strings.CutPrefix(w, "--style-weight="); ok {
			rec.Options.StyleWeight, _ = strconv.ParseFloat(text, 64)
		}
	}
	if n := len(rec.Inputs); n > 1 {
		rec.Inputs[0].Role = "content"
	}
	rec.Result = recipe.Result{W: 48, H: 32, Planned: e.iterations}
	for i := 1; i <= e.iterations; i++ {
		select {
		case <-ctx.Done():
			rec.Result.Stopped, rec.Result.Iterations = "interrupted", i
			text, err := rec.Canonical()
			if err == nil {
				err = save(out, float32(i)/float32(e.iterations), text)
			}
			if err != nil {
				return err
			}
			return ctx.Err()
		case <-e.end:
			i = e.iterations
		case <-time.After(e.pause):
		}
		if err := save(show.Preview, float32(i)/float32(e.iterations), ""); err != nil {
			return err
		}
		eta := float64(e.iterations - i)
		show.Watch(Moment{Done: float64(i) / float64(e.iterations), Scale: 1, Scales: 1, Iter: i, Iters: e.iterations, W: 48, H: 32, ETA: &eta, Loss: map[string]float64{"total": 1 / float64(i)}})
	}
	rec.Result.Iterations = e.iterations
	text, err := rec.Canonical()
	if err != nil {
		return err
	}
	return save(out, 1, text)
}

func (e *quick) Settings(mode style.Mode, from *recipe.Recipe) []Setting {
	list := []Setting{
		{Name: "style-weight", Value: "X", Help: "more of the painting", Group: "Loss", Default: "1"},
		{Name: "size", Value: "SIZE", Help: "long side", Group: "Scale", Default: "512"},
		{Name: "iterations", Value: "N", Help: "of each scale", Group: "Optimisation", Default: "500"},
		{Name: "weights", Value: "NAME", Help: "network", Group: "Device", Choices: []string{"", "mini", "vgg19"}},
	}
	if from != nil {
		list[0].Text = fmt.Sprint(from.Options.StyleWeight)
	}
	return list
}

func (e *quick) Derive(_ context.Context, p *picture.Picture, regions int) (*maps.Map, error) {
	return maps.Derive(p, maps.DeriveOptions{Regions: regions})
}

// server is a studio on an empty folder, with its engine and queue.
type server struct {
	*httptest.Server
	studio *Studio
	engine *quick
	folder string
	cookie *http.Cookie
	links  atomic.Int32
}

func newServer(t *testing.T) *server {
	t.Helper()
	e := &quick{iterations: 3}
	s := serverOf(t, e)
	s.engine = e
	return s
}

func serverOf(t *testing.T, e Engine) *server {
	t.Helper()
	s := &server{folder: t.TempDir()}
	studio, err := New(Options{Folder: s.folder, Queue: farm.Memory(time.Minute), Engine: e, Program: "test",
		Link: func(string) { s.links.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	s.studio = studio
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		studio.Run(ctx, &farm.Worker{Queue: studio.o.Queue, Class: farm.ClassCPU, Name: "test", Dir: t.TempDir(), Beat: 20 * time.Millisecond})
		close(ended)
	}()
	s.Server = httptest.NewServer(studio.Handler())
	t.Cleanup(func() {
		stop()
		<-ended
		studio.events.close()
		s.CloseClientConnections()
		s.Close()
		studio.Close()
	})
	s.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.cookie = s.enter(t, studio.Token())
	if s.cookie == nil {
		t.Fatal("a fresh token gave no cookie")
	}
	return s
}

// enter opens an address with a token and returns the cookie, nil for none.
func (s *server) enter(t *testing.T, token string) *http.Cookie {
	t.Helper()
	r, err := s.Client().Get(s.URL + "/?token=" + token)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	for _, c := range r.Cookies() {
		return c
	}
	return nil
}

// ask sends a request as the page does, after change.
func (s *server) ask(t *testing.T, method, path string, body io.Reader, change func(*http.Request)) (int, []byte) {
	t.Helper()
	r, err := http.NewRequest(method, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(s.cookie)
	r.Header.Set("Origin", s.URL)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if change != nil {
		change(r)
	}
	a, err := s.Client().Do(r)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer a.Body.Close()
	text, _ := io.ReadAll(a.Body)
	return a.StatusCode, text
}

func (s *server) get(t *testing.T, path string, v any) {
	t.Helper()
	status, text := s.ask(t, "GET", path, nil, nil)
	if status != 200 {
		t.Fatalf("GET %s: %d %s", path, status, text)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

func (s *server) post(t *testing.T, path string, body, v any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	status, answer := s.ask(t, "POST", path, bytes.NewReader(text), nil)
	if status != 200 {
		t.Fatalf("POST %s: %d %s", path, status, answer)
	}
	if v != nil {
		if err := json.Unmarshal(answer, v); err != nil {
			t.Fatal(err)
		}
	}
}

// put lays a file into the folder.
func (s *server) put(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.folder, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func pngOf(t *testing.T, w, h int, at func(x, y int) color.Color) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, at(x, y))
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wire is a map as it travels.
func wire(header any, labels ...[]byte) io.Reader {
	text, _ := json.Marshal(header)
	return io.MultiReader(append([]io.Reader{bytes.NewReader(binary.LittleEndian.AppendUint32(nil, uint32(len(text)))), bytes.NewReader(text)}, readers(labels)...)...)
}

func readers(list [][]byte) (all []io.Reader) {
	for _, b := range list {
		all = append(all, bytes.NewReader(b))
	}
	return all
}

// unwire takes a map apart.
func unwire(t *testing.T, data []byte) (mapHeader, []byte) {
	t.Helper()
	var h mapHeader
	n := binary.LittleEndian.Uint32(data)
	if err := json.Unmarshal(data[4:4+n], &h); err != nil {
		t.Fatal(err)
	}
	return h, data[4+n:]
}

// waitJob waits until a job is in a state.
func (s *server) waitJob(t *testing.T, id, state string) jobView {
	t.Helper()
	for range 9000 { // minutes
		var list []jobView
		s.get(t, "/api/jobs", &list)
		for _, b := range list {
			if b.ID == id && b.State == state {
				return b
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("job %s did not become %s", id, state)
	return jobView{}
}

func TestPaintsAndKeepsARecipe(t *testing.T) {
	s := newServer(t)
	var made struct{ Job jobView }
	s.post(t, "/api/jobs", order{Mode: "art", Content: "sample:valley", Styles: []string{"sample:strokes"}, Settings: map[string]string{"size": "48"}}, &made)
	done := s.waitJob(t, made.Job.ID, "done")
	if want := "impasto art --size=48 --output=valley__strokes.png sample:valley sample:strokes"; done.Command != want {
		t.Errorf("the job's command is %q, want %q", done.Command, want)
	}
	if len(done.Curve) == 0 {
		t.Error("there is no loss curve")
	}
	var gallery []result
	s.get(t, "/api/gallery", &gallery)
	if len(gallery) != 1 || gallery[0].Name != "valley__strokes.png" || gallery[0].Mode != "art" {
		t.Fatalf("the gallery is %+v", gallery)
	}
	// The next one has a name of its own.
	s.post(t, "/api/jobs", order{Mode: "art", Content: "sample:valley", Styles: []string{"sample:strokes"}, Settings: map[string]string{"size": "48"}}, &made)
	if made.Job.Output != "valley__strokes-2.png" {
		t.Errorf("the second picture is %q", made.Job.Output)
	}
}

func TestPausesGoesOnAndKeeps(t *testing.T) {
	s := newServer(t)
	s.engine.iterations, s.engine.pause = 100000, 10*time.Millisecond
	var made struct{ Job jobView }
	s.post(t, "/api/jobs", order{Mode: "texture", Styles: []string{"sample:mosaic"}}, &made)
	s.waitJob(t, made.Job.ID, "running")
	s.post(t, "/api/jobs/pause", map[string]string{"id": made.Job.ID}, nil)
	s.waitJob(t, made.Job.ID, "paused")
	if _, err := os.Stat(filepath.Join(s.folder, "mosaic.png")); err == nil {
		t.Error("a paused job left a picture")
	}
	s.post(t, "/api/jobs/resume", map[string]string{"id": made.Job.ID}, nil)
	s.waitJob(t, made.Job.ID, "running")
	for s.engine.begun.Load() < 2 {
		time.Sleep(10 * time.Millisecond)
	}
	s.post(t, "/api/jobs/keep", map[string]string{"id": made.Job.ID}, nil)
	s.waitJob(t, made.Job.ID, "paused")
	var gallery []result
	s.get(t, "/api/gallery", &gallery)
	if len(gallery) != 1 || gallery[0].Stopped != "interrupted" {
		t.Errorf("the kept picture is not in the gallery: %+v", gallery)
	}
}

func TestSaysAllThatIsMissingAtOnce(t *testing.T) {
	s := newServer(t)
	text, _ := json.Marshal(order{Mode: "art", Settings: map[string]string{"weights": "../../x", "output": "/etc/passwd"}})
	status, answer := s.ask(t, "POST", "/api/command", bytes.NewReader(text), nil)
	if status != http.StatusUnprocessableEntity {
		t.Fatalf("an empty order was answered with %d", status)
	}
	for _, want := range []string{"photograph", "painting", "weights is one of", `no setting \"output\"`} {
		if !bytes.Contains(answer, []byte(want)) {
			t.Errorf("the answer does not mention %q: %s", want, answer)
		}
	}
}

func TestMapsKeepExactLabels(t *testing.T) {
	s := newServer(t)
	w, h := 37, 23
	labels := make([]byte, w*h)
	for i := range labels {
		labels[i] = byte(i * 7 % 3)
	}
	regions := []mapRegion{{"#0080ff", "sky"}, {"#00ff00", "grass"}, {"#ff0000", ""}, {"#ffff00", "unused"}}
	header := mapHeader{Name: "photo_sem.png", W: w, H: h, Regions: regions}
	if status, text := s.ask(t, "PUT", "/api/map", wire(header, labels), nil); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	f, err := os.Open(filepath.Join(s.folder, "photo_sem.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range labels {
		want, _ := maps.ParseColour(regions[l].Colour)
		if got := color.NRGBAModel.Convert(img.At(i%w, i/w)); got != want {
			t.Fatalf("pixel %d is %v, want %v", i, got, want)
		}
	}
	legend, err := os.ReadFile(filepath.Join(s.folder, "photo_sem.txt"))
	if err != nil || !strings.Contains(string(legend), "#0080ff sky") || strings.Contains(string(legend), "unused") {
		t.Errorf("the legend is %q, %v", legend, err)
	}
}

func TestLintNamesTheRegionAndMends(t *testing.T) {
	s := newServer(t)
	w, h := 64, 48
	canvas, painting := make([]byte, w*h), make([]byte, w*h)
	for i := range canvas {
		x, y := i%w, i/w
		painting[i] = byte(2 * x / w)
		canvas[i] = byte(2 * y / h)
		if y > 40 {
			canvas[i] = 2 // a region the painting does not have
		}
	}
	canvas[5*w+5] = 1 // a speck
	regions := []mapRegion{{"#0080ff", "sky"}, {"#00ff00", "grass"}}
	p := pair{Canvas: mapHeader{Name: "c_sem.png", W: w, H: h, Regions: append(regions, mapRegion{"#00ff80", "sea"})},
		Painting: &mapHeader{Name: "p_sem.png", W: w, H: h, Regions: regions}}
	lint := func() map[string]finding {
		status, text := s.ask(t, "POST", "/api/map/lint", wire(p, canvas, painting), nil)
		if status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		var answer struct{ Findings []finding }
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatal(err)
		}
		found := map[string]finding{}
		for _, f := range answer.Findings {
			found[f.Code] = f
		}
		return found
	}
	found := lint()
	if f := found["canvas_only"]; f.Region != "#00ff80" || f.Side != "canvas" || f.Mend == "" || !strings.Contains(f.Message, "sea") {
		t.Errorf("the region without counterpart is told as %+v", f)
	}
	if m := found["specks"].Message; !strings.Contains(m, "1 piece of fewer") {
		t.Errorf("one speck is told as %q", m)
	}
	for _, code := range []string{"specks", "canvas_only"} {
		f, ok := found[code]
		if !ok {
			t.Fatalf("%s was not found: %v", code, found)
		}
		p.Side, p.Code, p.Region = f.Side, f.Code, f.Region
		status, text := s.ask(t, "POST", "/api/map/mend", wire(p, canvas, painting), nil)
		if status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		p.Canvas, canvas = unwire(t, text)
		if _, still := lint()[code]; still {
			t.Errorf("%s is there still", code)
		}
	}
}

func TestDerivesAndReadsSamples(t *testing.T) {
	s := newServer(t)
	text, _ := json.Marshal(map[string]any{"name": "sample:strokes", "regions": 4})
	status, data := s.ask(t, "POST", "/api/map/derive", bytes.NewReader(text), nil)
	if status != 200 {
		t.Fatalf("%d %s", status, data)
	}
	h, labels := unwire(t, data)
	if h.W != sampleW || len(labels) != sampleW*sampleH || len(h.Regions) < 2 || len(h.Regions) > 4 {
		t.Errorf("derived %dx%d with %d regions", h.W, h.H, len(h.Regions))
	}
	_, data = s.ask(t, "GET", "/api/map?name=sample:valley_sem", nil, nil)
	if h, _ = unwire(t, data); len(h.Regions) < 3 || h.Regions[0].Name == "" {
		t.Errorf("the valley's map is %+v", h)
	}
	status, data = s.ask(t, "GET", "/api/superpixels?name=sample:valley&width=100&height=80&cells=300", nil, nil)
	if status != 200 || len(data) != 2*100*80 {
		t.Errorf("superpixels: %d, %d bytes", status, len(data))
	}
}

func TestSessionsOutliveTheServer(t *testing.T) {
	s := newServer(t)
	again, err := New(Options{Folder: s.folder, Queue: farm.Memory(time.Second), Engine: s.engine})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	r := httptest.NewRequest("GET", "http://localhost:1/api/state", nil)
	r.AddCookie(s.cookie)
	w := httptest.NewRecorder()
	again.Handler().ServeHTTP(w, r)
	if w.Code != 200 {
		t.Errorf("after a restart the page is answered with %d", w.Code)
	}
}

// TestContactSheet: the sheet holds the pictures that are asked for, with what
// they were painted from, and nothing that needs the server.
func TestContactSheet(t *testing.T) {
	s := newServer(t)
	for _, style := range []string{"mosaic", "strokes"} {
		var made struct{ Job jobView }
		s.post(t, "/api/jobs", order{Mode: "texture", Styles: []string{"sample:" + style}}, &made)
		s.waitJob(t, made.Job.ID, "done")
	}
	s.post(t, "/api/rating", map[string]any{"name": "mosaic.png", "rating": 3}, nil)
	status, sheet := s.ask(t, "GET", "/api/sheet", nil, nil)
	if status != 200 || bytes.Count(sheet, []byte("<article")) != 2 || bytes.Count(sheet, []byte("data:image/")) != 2 {
		t.Errorf("%d: a sheet of two pictures is %.300s", status, sheet)
	}
	_, sheet = s.ask(t, "GET", "/api/sheet?name=mosaic.png", nil, nil)
	for _, want := range []string{"mosaic.png", "48x32", "texture", "★★★", "1 picture<"} {
		if !bytes.Contains(sheet, []byte(want)) {
			t.Errorf("the sheet of one picture has no %q", want)
		}
	}
	if bytes.Contains(sheet, []byte("strokes.png")) || bytes.Contains(sheet, []byte("/api/")) {
		t.Error("the sheet of one picture has another, or needs the server")
	}
}
