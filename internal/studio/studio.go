package studio

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/impasto/impasto/internal/farm"
	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/style"
)

// Engine is the program behind the page.
type Engine interface {
	// Plan says what a command line would do, or everything that is wrong with it.
	// It paints nothing.
	Plan(ctx context.Context, step []string) (Plan, error)
	// Do does a job as farm.Doer does. show says where it puts the preview and the
	// origins of patches, and how it reports progress.
	Do(ctx context.Context, t *farm.Task, show Display) error
	// Settings lists the settings of a mode, with the values of from if it is not
	// nil.
	Settings(mode style.Mode, from *recipe.Recipe) []Setting
	// Derive draws a first map of a picture.
	Derive(ctx context.Context, p *picture.Picture, regions int) (*maps.Map, error)
}

// Display says what a job shows while it runs.
type Display struct {
	Preview string // PNG file that is kept up to date
	Explain string // folder for the matches of patches, "" for none
	Watch   func(Moment)
}

// Moment is the state of a job after an iteration.
type Moment struct {
	Done   float64            `json:"done"` // share of all iterations, 0..1
	Scale  int                `json:"scale"`
	Scales int                `json:"scales"`
	Iter   int                `json:"iter"`
	Iters  int                `json:"iters"`
	W      int                `json:"width"`
	H      int                `json:"height"`
	ETA    *float64           `json:"eta_s,omitempty"` // seconds
	Rate   *float64           `json:"its,omitempty"`   // iterations a second
	Loss   map[string]float64 `json:"loss,omitempty"`  // "total" and its terms
}

// Plan is what a job would do.
type Plan struct {
	W       int      `json:"width"`
	H       int      `json:"height"`
	Seconds float64  `json:"seconds"`    // 0: not known
	Bytes   int64    `json:"peak_bytes"` // of memory
	Class   string   `json:"-"`          // of worker
	Files   []string `json:"-"`          // absolute paths that are read
}

// Setting is one setting of a picture.
type Setting struct {
	Name     string   `json:"name"`  // as in --NAME
	Value    string   `json:"value"` // the placeholder of the value in help; "" for a switch
	Help     string   `json:"help"`
	Group    string   `json:"group"`
	Advanced bool     `json:"advanced,omitempty"`
	Choices  []string `json:"choices,omitempty"`
	Default  string   `json:"default"`
	Text     string   `json:"text,omitempty"` // the value of the recipe, if it differs
}

// Options say what is served.
type Options struct {
	Folder  string     // of pictures and results
	Hosts   []string   // host names the server answers to, besides those of loopback
	Queue   farm.Queue // where jobs go
	Engine  Engine
	Program string // name and version
	// Link is called with a new address and its token when someone opened a used
	// address.
	Link func(token string)
	Log  *slog.Logger // nil: none
}

// Studio is the server of one folder.
type Studio struct {
	o       Options
	root    *os.Root
	guard   *guard
	events  *broadcast
	jobs    *jobs
	shelf   *shelf
	heavy   chan struct{} // pictures decoded at once
	matched latest
	done    sync.WaitGroup
}

const (
	// own is the folder in which the studio keeps its own files.
	own = ".impasto"
	// maxPixels is the largest picture that the page opens: 64 million pixels, 768
	// MB decoded.
	maxPixels = 64 << 20
	// maxUpload is the largest file that may be dropped on the page, in bytes.
	maxUpload = 128 << 20
	// maxMap is the largest map, in pixels.
	maxMap = 32 << 20
)

// New opens a folder, which must exist.
func New(o Options) (*Studio, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	folder, err := filepath.Abs(o.Folder)
	if err != nil {
		return nil, err
	}
	o.Folder = folder
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{own, own + "/previews", own + "/explain"} {
		if err := root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			root.Close()
			return nil, err
		}
	}
	s := &Studio{o: o, root: root, events: newBroadcast(), heavy: make(chan struct{}, 2)}
	s.shelf = newShelf(s)
	s.guard = newGuard(root, "impasto_"+folderMark(folder), o.Hosts)
	s.guard.link = o.Link
	s.jobs = newJobs(s)
	return s, nil
}

// Token returns a new token, which opens the page once in one browser.
func (s *Studio) Token() string { return s.guard.newToken() }

// Run does jobs and reports them to open pages, until ctx ends. It then stops the
// current job as an interruption would, and the job returns to the queue.
func (s *Studio) Run(ctx context.Context, workers ...*farm.Worker) {
	s.jobs.mu.Lock()
	s.jobs.elsewhere = len(workers) == 0
	s.jobs.mu.Unlock()
	s.done.Go(func() { s.jobs.follow(ctx) })
	for _, w := range workers {
		w.Doer = s.jobs
		s.done.Go(func() {
			// Only the drain channel stops the worker, so that it can still report
			// how its job ended.
			_ = w.Run(context.WithoutCancel(ctx), ctx.Done())
		})
	}
	s.done.Wait()
}

// decode takes one of the two places for decoding pictures. The caller calls done
// to give it back: defer s.decode()().
func (s *Studio) decode() (done func()) {
	s.heavy <- struct{}{}
	return func() { <-s.heavy }
}

// Close releases the folder.
func (s *Studio) Close() error {
	s.events.close()
	return s.root.Close()
}

// Serve answers on a listener until ctx ends.
func (s *Studio) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug),
	}
	go func() {
		<-ctx.Done()
		s.events.close()
		soon, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(soon)
		_ = server.Close()
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Handler returns the handler of the whole server: the page, its modules and their
// requests.
func (s *Studio) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.Handle("GET /web/", webFiles())
	for pattern, f := range map[string]handler{
		"GET /api/state":          value(s.state),
		"GET /api/pictures":       value(func(*http.Request) (any, error) { return s.entries() }),
		"POST /api/pictures":      value(s.upload),
		"GET /api/picture":        s.picture,
		"GET /api/thumb":          s.thumb,
		"GET /api/map":            s.readMap,
		"PUT /api/map":            value(s.saveMap),
		"POST /api/map/png":       s.mapPNG,
		"POST /api/map/import":    s.importMap,
		"POST /api/map/derive":    s.derive,
		"POST /api/map/lint":      value(s.lint),
		"POST /api/map/mend":      s.mend,
		"GET /api/superpixels":    s.superpixels,
		"GET /api/settings":       value(s.settings),
		"POST /api/recipe":        value(s.recipeOf),
		"POST /api/command":       asked(s.command),
		"POST /api/jobs":          asked(s.submit),
		"GET /api/jobs":           value(func(*http.Request) (any, error) { return s.jobs.all(), nil }),
		"POST /api/jobs/{do}":     asked(s.changeJob),
		"GET /api/jobs/{id}/view": s.preview,
		"GET /api/gallery":        value(func(*http.Request) (any, error) { return s.results() }),
		"POST /api/rating":        asked(s.rate),
		"GET /api/difference":     value(s.difference),
		"GET /api/where":          value(s.where),
		"GET /api/sheet":          s.sheet,
		"GET /api/events":         s.stream,
	} {
		mux.HandleFunc(pattern, answer(f))
	}
	return s.guard.wrap(mux)
}

// Port returns the port that a folder's page uses if it is free. It is always the
// same, because a browser keeps strokes and the session by address.
func Port(folder string) int {
	if abs, err := filepath.Abs(folder); err == nil {
		folder = abs
	}
	sum := sha256.Sum256([]byte(folder))
	return 17000 + (int(sum[0])<<8|int(sum[1]))%12000 // below the ports that systems assign themselves
}

// folderMark returns a mark that distinguishes folders, because all ports of a host
// share their cookies.
func folderMark(folder string) string {
	return digest(folder)[:8]
}

// Address returns the address of the page with a token.
func Address(l net.Addr, token string) string {
	host, port, err := net.SplitHostPort(l.String())
	if ip := net.ParseIP(host); err != nil || ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return fmt.Sprintf("http://%s/?token=%s", net.JoinHostPort(host, port), token)
}
