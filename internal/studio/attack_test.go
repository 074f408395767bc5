package studio

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image/color"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAttacks tries what a page of another site, another user or a file from
// elsewhere could try. Each is refused, or does no harm.
func TestAttacks(t *testing.T) {
	s := newServer(t)
	secret := []byte("not yours")
	outside := filepath.Join(t.TempDir(), "secret.png")
	if err := os.WriteFile(outside, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	red := pngOf(t, 8, 8, func(int, int) color.Color { return color.NRGBA{255, 0, 0, 255} })
	s.put(t, "mine.png", red)
	refused := func(t *testing.T, status int, text []byte) {
		t.Helper()
		if status < 400 {
			t.Errorf("answered with %d: %.80s", status, text)
		}
		if bytes.Contains(text, secret) {
			t.Error("the answer holds what was secret")
		}
		if bytes.Contains(text, []byte(s.folder)) {
			t.Errorf("the answer tells where the folder is: %s", text)
		}
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

	t.Run("a name rebound to loopback", func(t *testing.T) {
		for _, name := range []string{"evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]:80"} {
			status, text := s.ask(t, "GET", "/api/pictures", nil, host(name))
			refused(t, status, text)
		}
		for _, name := range []string{"localhost", "LOCALHOST:17", "localhost.", "127.0.0.1:8080", "[::1]:8080", "[::1]"} {
			if status, _ := s.ask(t, "GET", "/api/pictures", nil, host(name)); status != 200 {
				t.Errorf("host %q: %d", name, status)
			}
		}
	})
	t.Run("a change from another site", func(t *testing.T) {
		for _, origin := range []string{"https://evil.example", "null", "http://localhost:1", strings.Replace(s.URL, "http:", "ftp:", 1)} {
			status, text := s.ask(t, "POST", "/api/pictures?name=x.png", bytes.NewReader(red), func(r *http.Request) { r.Header.Set("Origin", origin) })
			refused(t, status, text)
		}
	})
	t.Run("a change that says of no place", func(t *testing.T) {
		status, text := s.ask(t, "POST", "/api/pictures?name=x.png", bytes.NewReader(red), func(r *http.Request) {
			r.Header.Del("Origin")
			r.Header.Del("Sec-Fetch-Site")
		})
		refused(t, status, text)
	})
	t.Run("a form of another site", func(t *testing.T) {
		status, text := s.ask(t, "POST", "/api/jobs", strings.NewReader("mode=art"), func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		})
		refused(t, status, text)
	})
	t.Run("pictures and events without the cookie", func(t *testing.T) {
		for _, path := range []string{"/api/picture?name=mine.png", "/api/thumb?name=mine.png", "/api/pictures", "/api/gallery", "/api/events", "/api/jobs/0123/view", "/api/state", "/api/sheet", "/api/map?name=mine.png"} {
			status, text := s.ask(t, "GET", path, nil, func(r *http.Request) { r.Header.Del("Cookie") })
			refused(t, status, text)
		}
	})
	t.Run("a picture in another site's page", func(t *testing.T) {
		status, text := s.ask(t, "GET", "/api/picture?name=mine.png", nil, func(r *http.Request) {
			r.Header.Del("Origin")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		})
		refused(t, status, text)
	})
	t.Run("a guessed cookie", func(t *testing.T) {
		status, text := s.ask(t, "GET", "/api/pictures", nil, func(r *http.Request) {
			r.Header.Set("Cookie", s.cookie.Name+"="+strings.Repeat("A", len(s.cookie.Value)))
		})
		refused(t, status, text)
	})
	t.Run("a token used twice, in a second browser", func(t *testing.T) {
		token := s.studio.Token()
		if s.enter(t, token) == nil {
			t.Fatal("the first browser was not let in")
		}
		if s.enter(t, token) != nil {
			t.Error("a second browser came in with the same token")
		}
		if s.links.Load() != 1 {
			t.Errorf("the person at the terminal was offered %d new addresses, want 1", s.links.Load())
		}
	})
	t.Run("a token that never was", func(t *testing.T) {
		before := s.links.Load()
		if s.enter(t, "guess") != nil {
			t.Error("a guess came in")
		}
		if s.links.Load() != before {
			t.Error("a guess made the program print an address")
		}
	})
	t.Run("the cookie cannot be read by scripts or sent by other sites", func(t *testing.T) {
		c := s.enter(t, s.studio.Token())
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
			t.Errorf("the cookie is %v", c)
		}
	})
	t.Run("paths out of the folder", func(t *testing.T) {
		s.put(t, "sub.txt", []byte("x"))
		for _, name := range []string{"../secret.png", "..%2f" + "secret.png", "%2e%2e%2fsecret.png", "..%5csecret.png", outside, "/etc/passwd", ".impasto/sessions.json", ".impasto%2fsessions.json", "sub.txt", "a%00.png", "C:%5cx.png", ""} {
			for _, path := range []string{"/api/picture?name=", "/api/thumb?name=", "/api/map?name=", "/api/recipe?name=", "/api/superpixels?width=32&height=32&cells=16&name=", "/api/where?x=0&y=0&name="} {
				method := "GET"
				if strings.HasPrefix(path, "/api/recipe") {
					method = "POST"
				}
				status, text := s.ask(t, method, path+name, nil, nil)
				refused(t, status, text)
			}
		}
	})
	t.Run("a path through the address itself", func(t *testing.T) {
		for _, path := range []string{"/web/../studio.go", "/web/%2e%2e/studio.go", "/web/..%2f..%2fgo.mod", "/..%2f..%2fetc/passwd", "//etc/passwd"} {
			status, text := s.ask(t, "GET", path, nil, nil)
			if status == 200 {
				t.Errorf("%s: %d %.60s", path, status, text)
			}
		}
	})
	t.Run("a link out of the folder", func(t *testing.T) {
		if err := os.Symlink(outside, filepath.Join(s.folder, "link.png")); err != nil {
			t.Skip("no links here:", err)
		}
		for _, path := range []string{"/api/picture?name=link.png", "/api/thumb?name=link.png", "/api/map?name=link.png"} {
			status, text := s.ask(t, "GET", path, nil, nil)
			refused(t, status, text)
		}
		// A map saved over the link replaces it and leaves what it led to.
		header := mapHeader{Name: "link.png", W: 2, H: 1, Regions: []mapRegion{{"#ff0000", ""}, {"#00ff00", ""}}}
		s.ask(t, "PUT", "/api/map", wire(header, []byte{0, 1}), nil)
		if text, err := os.ReadFile(outside); err != nil || !bytes.Equal(text, secret) {
			t.Errorf("the file outside was written: %q, %v", text, err)
		}
	})
	t.Run("a picture of 60000x60000", func(t *testing.T) {
		bomb := hugePNG(60000, 60000)
		status, text := s.ask(t, "POST", "/api/pictures?name=bomb.png", bytes.NewReader(bomb), nil)
		refused(t, status, text)
		s.put(t, "bomb.png", bomb)
		for _, path := range []string{"/api/picture?name=bomb.png", "/api/thumb?name=bomb.png", "/api/map?name=bomb.png"} {
			status, text := s.ask(t, "GET", path, nil, nil)
			refused(t, status, text)
		}
		status, text = s.ask(t, "POST", "/api/map/import?name=bomb.png", bytes.NewReader(bomb), nil)
		refused(t, status, text)
	})
	t.Run("an SVG with a script as picture", func(t *testing.T) {
		svg := `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
		for _, name := range []string{"x.svg", "x.png", "x.html"} {
			status, text := s.ask(t, "POST", "/api/pictures?name="+name, strings.NewReader(svg), nil)
			refused(t, status, text)
		}
		s.put(t, "fake.png", []byte(svg))
		status, text := s.ask(t, "GET", "/api/picture?name=fake.png", nil, nil)
		refused(t, status, text)
	})
	t.Run("a script in a file's name", func(t *testing.T) {
		status, text := s.ask(t, "POST", "/api/pictures?name=%3Cimg%20src=x%20onerror=alert(1)%3E.png", bytes.NewReader(red), nil)
		if status == 200 && bytes.ContainsAny(text, "<>") {
			t.Errorf("%s", text)
		}
	})
	t.Run("a script in a region's name", func(t *testing.T) {
		header := mapHeader{Name: "named_sem.png", W: 2, H: 1, Regions: []mapRegion{{"#ff0000", "<script>alert(1)</script>\n#00ff00 forged"}, {"#00ff00", "ok"}}}
		if status, text := s.ask(t, "PUT", "/api/map", wire(header, []byte{0, 1}), nil); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		legend, _ := os.ReadFile(filepath.Join(s.folder, "named_sem.txt"))
		if n := strings.Count(string(legend), "\n"); n != 2 {
			t.Errorf("the legend has %d lines: %q", n, legend)
		}
		r, err := s.Client().Get(s.URL + "/")
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if p := r.Header.Get("Content-Security-Policy"); !strings.Contains(p, "script-src 'self'") || strings.Contains(p, "unsafe") {
			t.Errorf("the page's policy is %q", p)
		}
	})
	t.Run("labels beyond the palette, sizes that lie", func(t *testing.T) {
		for _, h := range []mapHeader{
			{Name: "x_sem.png", W: 2, H: 2, Regions: []mapRegion{{"#ff0000", ""}}},
			{Name: "x_sem.png", W: 1 << 31, H: 1 << 31, Regions: []mapRegion{{"#ff0000", ""}}},
			{Name: "x_sem.png", W: -4, H: -1, Regions: []mapRegion{{"#ff0000", ""}}},
			{Name: "x_sem.png", W: 2, H: 2},
			{Name: "x_sem.png", W: 2, H: 2, Regions: []mapRegion{{"#ff0000", ""}, {"#FF0000", ""}}},
			{Name: "x_sem.jpg", W: 2, H: 2, Regions: []mapRegion{{"#ff0000", ""}, {"#00ff00", ""}}},
			{Name: "../x_sem.png", W: 2, H: 2, Regions: []mapRegion{{"#ff0000", ""}, {"#00ff00", ""}}},
		} {
			status, text := s.ask(t, "PUT", "/api/map", wire(h, []byte{0, 1, 1, 0}), nil)
			refused(t, status, text)
		}
		status, text := s.ask(t, "PUT", "/api/map", bytes.NewReader(binary.LittleEndian.AppendUint32(nil, 1<<31)), nil)
		refused(t, status, text)
	})
	t.Run("a body without end", func(t *testing.T) {
		status, text := s.ask(t, "POST", "/api/pictures?name=x.png", io.LimitReader(zeros{}, maxUpload+1), nil)
		if status != 0 { // or the connection was closed in the middle
			refused(t, status, text)
		}
		status, text = s.ask(t, "POST", "/api/jobs", io.LimitReader(zeros{}, 8<<20), nil)
		if status != 0 {
			refused(t, status, text)
		}
	})
	t.Run("a setting that names a file", func(t *testing.T) {
		for _, set := range []map[string]string{{"output": outside}, {"report": outside}, {"config": outside}, {"weights": outside}, {"size": "1\n2"}, {"frames": "/tmp"}} {
			text, _ := json.Marshal(order{Mode: "art", Content: "sample:valley", Styles: []string{"sample:strokes"}, Settings: set})
			status, answer := s.ask(t, "POST", "/api/jobs", bytes.NewReader(text), nil)
			refused(t, status, answer)
		}
	})
	t.Run("a picture that is named like a flag", func(t *testing.T) {
		s.put(t, "--output=x.png", red)
		words, err := s.studio.words(order{Mode: "texture", Styles: []string{"--output=x.png"}}, "out.png", func(n string) string { return n })
		if err != nil {
			t.Fatal(err)
		}
		if words[len(words)-2] != "--" {
			t.Errorf("the words %q take a name for a flag", words)
		}
	})
	t.Run("event streams left open 500 times", func(t *testing.T) {
		refusals := 0
		for range 500 {
			c, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				refusals++
				continue
			}
			defer c.Close()
			fmt.Fprintf(c, "GET /api/events HTTP/1.1\r\nHost: localhost\r\nCookie: %s=%s\r\n\r\n", s.cookie.Name, s.cookie.Value)
			_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
			head := make([]byte, 12)
			if _, err := io.ReadFull(c, head); err != nil || string(head[9:]) != "200" {
				refusals++
			}
		}
		if refusals < 500-maxStreams {
			t.Errorf("%d streams are open", 500-refusals)
		}
		if status, _ := s.ask(t, "GET", "/api/state", nil, nil); status != 200 {
			t.Errorf("the page is answered with %d", status)
		}
	})
	t.Run("a body that trickles in", func(t *testing.T) {
		defer readTime.Store(readTime.Swap(int64(300 * time.Millisecond)))
		slow, feed := io.Pipe()
		defer feed.Close()
		begun := time.Now()
		go func() { _, _ = feed.Write([]byte{137}) }()
		status, text := s.ask(t, "POST", "/api/pictures?name=slow.png", slow, nil)
		if status != 0 {
			refused(t, status, text)
		}
		if passed := time.Since(begun); passed > time.Minute {
			t.Errorf("the connection was held for %v", passed)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// hugePNG is a small file that says it is a large picture.
func hugePNG(w, h uint32) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		_ = binary.Write(&b, binary.BigEndian, uint32(len(data)))
		body := append([]byte(kind), data...)
		b.Write(body)
		_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	chunk("IHDR", append(head, 8, 2, 0, 0, 0))
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(make([]byte, 1<<16))
	_ = z.Close()
	chunk("IDAT", packed.Bytes())
	chunk("IEND", nil)
	return b.Bytes()
}
