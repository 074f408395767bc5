package studio

import (
	"compress/gzip"
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed web
var web embed.FS

// webFile is a file of the page, ready to be sent.
type webFile struct {
	plain, packed []byte
	kind, tag     string
}

var webTable = sync.OnceValue(func() map[string]webFile {
	table := map[string]webFile{}
	_ = fs.WalkDir(web, "web", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := web.ReadFile(name)
		if err != nil {
			return err
		}
		var b strings.Builder
		z := gzip.NewWriter(&b)
		_, _ = z.Write(text)
		_ = z.Close()
		kind := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}[path.Ext(name)]
		if kind == "" {
			kind = mime.TypeByExtension(path.Ext(name))
		}
		table["/"+name] = webFile{text, []byte(b.String()), kind, `"` + digest(string(text))[:16] + `"`}
		return nil
	})
	return table
})

// webFiles serves the page's modules, styles and icon.
func webFiles() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := webTable()[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.kind)
		h.Set("Cache-Control", "no-cache") // browsers ask each time; the tag saves sending the file again
		h.Set("ETag", f.tag)
		h.Set("Vary", "Accept-Encoding")
		if r.Header.Get("If-None-Match") == f.tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			_, _ = w.Write(f.packed)
			return
		}
		_, _ = w.Write(f.plain)
	})
}
