package vgg

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// server serves data and remembers what it was asked for.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []http.Header
}

func (s *server) asked() []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]http.Header(nil), s.requests...)
}

func serve(t *testing.T, handle func(n int, w http.ResponseWriter, r *http.Request)) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Header.Clone())
		n := len(s.requests)
		s.mu.Unlock()
		handle(n, w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// whole serves all of data, with ranges and a validator.
func whole(data []byte, etag string) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// cutOff serves the first bytes of data, then drops the connection.
func cutOff(data []byte, at int, etag string) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data[:at])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// published is the file of the tests: a Caffe network of one layer.
func published(urls ...string) ([]byte, []original) {
	data := caffeOf(swapRB(exactLayers(1)), true)
	sum := sha256.Sum256(data)
	return data, []original{{Name: "vgg19", File: "net.caffemodel", Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])[:8],
		Layout: LayoutCaffe, Licence: "CC BY 4.0", URLs: urls}}
}

func TestGet(t *testing.T) {
	s, ctx := inTemp(t), context.Background()
	data, _ := published()
	web := serve(t, whole(data, `"v1"`))
	_, list := published(web.URL)
	var last Progress
	w, err := s.get(ctx, "vgg19", list, GetOptions{Client: web.Client(), Progress: func(p Progress) { last = p }})
	if err != nil {
		t.Fatal(err)
	}
	if last.Done != int64(len(data)) || last.Total != last.Done || last.File != "net.caffemodel" {
		t.Errorf("progress ended at %+v", last)
	}
	if w.Name != "vgg19" || w.Licence != "CC BY 4.0" {
		t.Errorf("%+v", w)
	}
	if n, err := Load(ctx, "vgg19", LoadOptions{}); err != nil {
		t.Error(err)
	} else {
		sameLayers(t, n, exactLayers(1))
	}
	if _, err := s.get(ctx, "vgg19", list, GetOptions{Client: web.Client()}); err != nil || len(web.asked()) != 1 {
		t.Errorf("fetched what is installed: %d requests, %v", len(web.asked()), err)
	}
	if _, err := s.get(ctx, "vgg19", list, GetOptions{Client: web.Client(), Force: true}); err != nil || len(web.asked()) != 2 {
		t.Errorf("force: %d requests, %v", len(web.asked()), err)
	}
	left, _ := filepath.Glob(filepath.Join(s.Dir, "*"))
	if len(left) != 2 { // weights, index
		t.Errorf("debris: %v", left)
	}
	if _, err := s.Get(ctx, "vgg20", GetOptions{}); err == nil || err.(*Error).ExitCode() != 2 {
		t.Errorf("vgg20: %v", err)
	}
}

// TestGetResumes drops the connection at byte 3000 and wants the second
// request to start there, on condition that the file is still the same.
func TestGetResumes(t *testing.T) {
	s, ctx := inTemp(t), context.Background()
	data, _ := published()
	web := serve(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			cutOff(data, 3000, `"v1"`)(n, w, r)
		}
		whole(data, `"v1"`)(n, w, r)
	})
	_, list := published(web.URL)
	_, err := s.get(ctx, "vgg19", list, GetOptions{Client: web.Client()})
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindDownload || !strings.Contains(e.Msg, fmt.Sprintf("interrupted at 3000 of %d bytes", len(data))) || len(e.Hints) != 2 {
		t.Fatalf("truncated: %v", err)
	}
	if _, err := s.get(ctx, "vgg19", list, GetOptions{Client: web.Client()}); err != nil {
		t.Fatal(err)
	}
	if h := web.asked()[1]; h.Get("Range") != "bytes=3000-" || h.Get("If-Range") != `"v1"` {
		t.Errorf("second request: %v", h)
	}
}

// TestGetStartsOver when the file on the server has changed meanwhile: the
// server answers 200 because If-Range does not hold.
func TestGetStartsOver(t *testing.T) {
	s, ctx := inTemp(t), context.Background()
	data, _ := published()
	old := append([]byte("older"), data[5:]...)
	web := serve(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			cutOff(old, 3000, `"v1"`)(n, w, r)
		}
		whole(data, `"v2"`)(n, w, r)
	})
	_, list := published(web.URL)
	if _, err := s.get(ctx, "vgg19", list, GetOptions{Client: web.Client()}); err == nil {
		t.Fatal("half a file is accepted")
	}
	if _, err := s.get(ctx, "vgg19", list, GetOptions{Client: web.Client()}); err != nil {
		t.Fatal(err)
	}
}

// TestGetMirrors: the first answers 404, the second breaks off, the third has
// no ranges, the fourth goes on where the second stopped.
func TestGetMirrors(t *testing.T) {
	s, ctx := inTemp(t), context.Background()
	data, _ := published()
	one := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	two := serve(t, cutOff(data, 5000, `"a"`))
	three := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 1-%d/%d", len(data)-1, len(data))) // not what was asked for
		w.WriteHeader(http.StatusPartialContent)
	})
	four := serve(t, whole(data, `"b"`))
	_, list := published(one.URL, two.URL, three.URL, four.URL)
	if _, err := s.get(ctx, "vgg19", list, GetOptions{Client: one.Client()}); err != nil {
		t.Fatal(err)
	}
	if h := four.asked()[0]; h.Get("Range") != "bytes=5000-" || h.Get("If-Range") != "" {
		t.Errorf("fourth mirror was asked %v", h)
	}
}

func TestGetWrongBytes(t *testing.T) {
	s, ctx := inTemp(t), context.Background()
	data, _ := published()
	wrong := append([]byte(nil), data...)
	wrong[100] ^= 1
	web := serve(t, whole(wrong, `"v1"`))
	_, list := published(web.URL)
	_, err := s.get(ctx, "vgg19", list, GetOptions{Client: web.Client()})
	if err == nil || !strings.Contains(err.Error(), "checksum is") {
		t.Fatalf("wrong bytes: %v", err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "net.caffemodel.bad")); err != nil {
		t.Error("wrong bytes are not kept as .bad")
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "net.caffemodel.part")); err == nil {
		t.Error("wrong bytes would be resumed")
	}
	if list, _ := s.List(); len(list) != 0 {
		t.Error("wrong bytes are installed")
	}
	// A file of another size is not even fetched.
	short := serve(t, whole(data[:500], `"v1"`))
	_, list = published(short.URL)
	if _, err := s.get(ctx, "vgg19", list, GetOptions{Client: web.Client()}); err == nil || !strings.Contains(err.Error(), "offers 500 bytes") {
		t.Errorf("500 bytes: %v", err)
	}
	// A second file of the same name is the last resort.
	good := serve(t, whole(data, `"v1"`))
	sum := sha1.Sum(data)
	list = append(list, original{Name: "vgg19", File: "other.caffemodel", SHA1: hex.EncodeToString(sum[:]), Layout: LayoutCaffe, URLs: []string{good.URL}})
	if _, err := s.get(ctx, "vgg19", list, GetOptions{Client: web.Client()}); err != nil {
		t.Error(err)
	}
	// If that fails as well, the message says what became of both.
	list[1].URLs = []string{web.URL + "/"}
	list[1].SHA1 = strings.Repeat("0", 40)
	_, err = s.get(ctx, "vgg19", list, GetOptions{Client: web.Client(), Force: true})
	if err == nil || !strings.Contains(err.Error(), "net.caffemodel did not succeed") || !strings.Contains(err.Error(), "other.caffemodel did not succeed") {
		t.Errorf("two files fail: %v", err)
	}
}

// TestGetCancelled stops a slow download and wants what came kept.
func TestGetCancelled(t *testing.T) {
	s := inTemp(t)
	data, _ := published()
	release := make(chan struct{})
	web := serve(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n > 1 {
			whole(data, `"v"`)(n, w, r)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data[:2000])
		w.(http.Flusher).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	_, list := published(web.URL)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := s.get(ctx, "vgg19", list, GetOptions{Client: web.Client(), Progress: func(p Progress) {
		if p.Done >= 2000 {
			cancel()
		}
	}})
	e, ok := err.(*Error)
	if !ok || e.Kind != KindCancelled || e.ExitCode() != 130 || !strings.Contains(e.Msg, "stopped at 2000 bytes") {
		t.Fatalf("cancelled: %v", err)
	}
	if _, err := s.get(context.Background(), "vgg19", list, GetOptions{Client: web.Client()}); err != nil {
		t.Fatal(err)
	}
	if r := web.asked()[1].Get("Range"); r != "bytes=2000-" {
		t.Errorf("after cancelling: Range %q", r)
	}
}

// TestSilentServer gives up on a server that stops sending.
func TestSilentServer(t *testing.T) {
	data, _ := published()
	web := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data[:100])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	_, list := published(web.URL)
	d := &download{client: web.Client(), file: &list[0], dir: t.TempDir(), progress: func(Progress) {}, idle: 50 * time.Millisecond}
	if _, err := d.run(context.Background()); err == nil || !strings.Contains(err.Error(), "silent for 50ms") {
		t.Errorf("silent server: %v", err)
	}
}

// TestGetTwice: two at once fetch once.
func TestGetTwice(t *testing.T) {
	s := inTemp(t)
	data, _ := published()
	web := serve(t, func(n int, w http.ResponseWriter, r *http.Request) {
		time.Sleep(50 * time.Millisecond)
		whole(data, `"v"`)(n, w, r)
	})
	_, list := published(web.URL)
	errs := make(chan error)
	for range 2 {
		go func() {
			_, err := s.get(context.Background(), "vgg19", list, GetOptions{Client: web.Client()})
			errs <- err
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := len(web.asked()); n != 1 {
		t.Errorf("%d requests for one file", n)
	}
}

func TestGetFrom(t *testing.T) {
	s, ctx := inTemp(t), context.Background()
	data, list := published("http://127.0.0.1:1/")
	good := writeFile(t, "copy", data)
	bad := writeFile(t, "bad", append(data[:len(data)-1:len(data)-1], 0x55))
	if _, err := s.get(ctx, "vgg19", list, GetOptions{From: bad}); err == nil || !strings.Contains(err.Error(), "not a copy of net.caffemodel") {
		t.Errorf("a bad copy: %v", err)
	}
	if _, err := s.get(ctx, "vgg19", list, GetOptions{From: "none"}); err == nil || err.(*Error).Kind != KindMissing {
		t.Errorf("no copy: %v", err)
	}
	if w, err := s.get(ctx, "vgg19", list, GetOptions{From: good}); err != nil || w.Name != "vgg19" {
		t.Errorf("%+v, %v", w, err)
	}
	if _, err := os.Stat(good); err != nil {
		t.Error("the copy is gone")
	}
	// The address above refuses connections: one clear message.
	if _, err := s.get(ctx, "vgg19", list, GetOptions{Force: true}); err == nil || err.(*Error).Kind != KindDownload || !strings.Contains(err.Error(), "127.0.0.1:1: ") {
		t.Errorf("no server: %v", err)
	}
}

func TestHTTPSOnly(t *testing.T) {
	to, _ := http.NewRequest("GET", "http://example.org/x", nil)
	if err := httpsOnly().CheckRedirect(to, nil); err == nil {
		t.Error("is sent on from https to http")
	}
	for _, o := range originals {
		for _, u := range o.URLs {
			if !strings.HasPrefix(u, "https://") {
				t.Errorf("%s is not https", u)
			}
		}
		if o.SHA256 == "" && len(o.SHA1) != 40 || o.SHA256 != "" && len(o.SHA256) != 64 && !strings.Contains(o.File, o.SHA256) {
			t.Errorf("%s has no checksum", o.File)
		}
	}
}
