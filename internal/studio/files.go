package studio

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	_ "image/png" // to read the sizes of pictures before they are sent

	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"github.com/impasto/impasto/internal/maps"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/sample"
)

// samplePrefix begins the name of a sample, a picture that the program draws.
const samplePrefix = "sample:"

// sampleW and sampleH are the size of samples in pixels, the same as in the
// command.
const sampleW, sampleH = 576, 384

// entry is a picture that the page can use.
type entry struct {
	Name    string `json:"name"`
	Title   string `json:"title,omitempty"`
	W       int    `json:"width"`
	H       int    `json:"height"`
	Map     string `json:"map,omitempty"` // the map that belongs to it
	IsMap   bool   `json:"is_map,omitempty"`
	Kind    string `json:"kind,omitempty"` // of a sample: "content" or "painting"
	Changed int64  `json:"changed"`        // milliseconds
}

// isSample returns the name of a sample without prefix and suffix.
func isSample(name string) (of string, isMap, ok bool) {
	of, ok = strings.CutPrefix(name, samplePrefix)
	if !ok {
		return "", false, false
	}
	of, isMap = strings.CutSuffix(of, maps.Suffix)
	return of, isMap, slices.ContainsFunc(sample.Names(), func(i sample.Info) bool { return i.Name == of })
}

// checkName refuses names that are not those of pictures directly in the folder.
func checkName(name string) error {
	odd := strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(`/\<>:"|?*`, r) })
	if name == "" || odd || len(name) > 200 || strings.HasPrefix(name, ".") || !filepath.IsLocal(name) {
		return bad(http.StatusBadRequest, fmt.Sprintf("%q is not the name of a picture in this folder", name))
	}
	if _, err := picture.FormatOf(name); err != nil {
		return bad(http.StatusUnsupportedMediaType, err.Error())
	}
	return nil
}

// open opens a picture of the folder. os.Root refuses links that lead out of the
// folder.
func (s *Studio) open(name string) (*os.File, fs.FileInfo, error) {
	if err := checkName(name); err != nil {
		return nil, nil, err
	}
	// Opening a named pipe would block, so only regular files are opened.
	if st, err := s.root.Stat(name); err != nil {
		return nil, nil, plain(name, err)
	} else if !st.Mode().IsRegular() {
		return nil, nil, bad(http.StatusUnprocessableEntity, fmt.Sprintf("%q is not a file", name))
	}
	f, err := s.root.Open(name)
	if err != nil {
		return nil, nil, plain(name, err)
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, st, nil
}

// plain says why a file cannot be read, without naming its path.
func plain(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return bad(http.StatusNotFound, fmt.Sprintf("%q is not in this folder", name))
	}
	return bad(http.StatusForbidden, fmt.Sprintf("%q cannot be read: it is not a file of this folder", name))
}

// read decodes a picture or draws a sample. It checks the size before it decodes
// any pixel. At most two pictures are decoded at once.
func (s *Studio) read(name string) (*picture.Picture, *picture.Info, error) {
	defer s.decode()()
	if of, isMap, ok := isSample(name); ok {
		img, err := drawSample(of, isMap)
		if err != nil {
			return nil, nil, err
		}
		return picture.FromImage(img), &picture.Info{Name: name + ".png", Format: picture.PNG}, nil
	}
	f, _, err := s.open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return picture.Decode(f, name, picture.ReadOptions{Role: "picture", MaxPixels: maxPixels})
}

// drawn caches the samples that were drawn, because drawing one takes a second.
var drawn sync.Map

func drawSample(of string, isMap bool) (image.Image, error) {
	type key struct {
		of    string
		isMap bool
	}
	draw, _ := drawn.LoadOrStore(key{of, isMap}, sync.OnceValues(func() (image.Image, error) {
		return drawSampleAt(of, isMap, sampleW, sampleH)
	}))
	return draw.(func() (image.Image, error))()
}

func drawSampleAt(of string, isMap bool, w, h int) (image.Image, error) {
	if isMap {
		img, _, err := sample.Map(of, w, h)
		return img, err
	}
	return sample.Draw(of, w, h)
}

// entries lists the pictures in the folder, the latest first, and then the samples.
func (s *Studio) entries() ([]entry, error) {
	dir, err := s.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	files, err := dir.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	list := []entry{}
	there := map[string]bool{}
	for _, f := range files {
		there[f.Name()] = true
		if checkName(f.Name()) != nil || f.IsDir() {
			continue
		}
		w, h, st, err := s.size(f.Name())
		if err != nil {
			continue
		}
		list = append(list, entry{Name: f.Name(), W: w, H: h, Changed: st.ModTime().UnixMilli(),
			IsMap: strings.HasSuffix(strings.TrimSuffix(f.Name(), filepath.Ext(f.Name())), maps.Suffix)})
	}
	for i := range list {
		if m := filepath.Base(maps.MapPath(list[i].Name)); !list[i].IsMap && there[m] {
			list[i].Map = m
		}
	}
	slices.SortFunc(list, func(a, b entry) int { return int(b.Changed - a.Changed) })
	for _, i := range sample.Names() {
		list = append(list, entry{Name: samplePrefix + i.Name, Title: i.Title, W: sampleW, H: sampleH,
			Map: samplePrefix + i.Name + maps.Suffix, Kind: string(i.Kind)})
	}
	return list, nil
}

// size reads a picture's size from its header, and caches it.
func (s *Studio) size(name string) (w, h int, st fs.FileInfo, err error) {
	f, st, err := s.open(name)
	if err != nil {
		return 0, 0, nil, err
	}
	defer f.Close()
	return s.shelf.size(name, st, f)
}

// picture sends a whole picture. It sends the file as it is, or a PNG if browsers
// cannot show its format.
func (s *Studio) picture(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("name")
	if _, _, ok := isSample(name); ok || strings.HasSuffix(strings.ToLower(name), ".tif") || strings.HasSuffix(strings.ToLower(name), ".tiff") {
		p, _, err := s.read(name)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "image/png")
		return picture.Encode(w, p, picture.PNG, picture.WriteOptions{Fast: true})
	}
	f, st, err := s.open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	config, format, err := image.DecodeConfig(f)
	if err != nil {
		return bad(http.StatusUnsupportedMediaType, fmt.Sprintf("%q is not a picture that can be shown", name))
	}
	if config.Width*config.Height > maxPixels {
		return tooLarge(name, config.Width, config.Height)
	}
	w.Header().Set("Content-Type", "image/"+format)
	w.Header().Set("Content-Disposition", "inline")
	http.ServeContent(w, r, "", st.ModTime(), f)
	return nil
}

func tooLarge(name string, w, h int) error {
	return bad(http.StatusRequestEntityTooLarge, fmt.Sprintf("%q is %dx%d, %d million pixels; the studio opens %d million", name, w, h, w*h>>20, maxPixels>>20))
}

// thumb sends a small JPEG of a picture.
func (s *Studio) thumb(w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("name")
	side, err := strconv.Atoi(r.URL.Query().Get("side"))
	if err != nil || side < 16 || side > 1024 {
		side = 256
	}
	text, err := s.shelf.thumb(name, side)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "private, max-age=60")
	_, err = w.Write(text)
	return err
}

// shrink encodes a picture as JPEG whose longer side is at most side pixels.
func shrink(p *picture.Picture, side int) ([]byte, error) {
	p = p.Flatten().Within(side, picture.Area)
	var b bytes.Buffer
	err := jpeg.Encode(&b, p.Image(8), &jpeg.Options{Quality: 85})
	return b.Bytes(), err
}

// upload saves a file that was dropped on the page, if it is a picture.
func (s *Studio) upload(r *http.Request) (any, error) {
	name := cleanName(r.URL.Query().Get("name"))
	if err := checkName(name); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	done := s.decode()
	p, info, err := picture.Decode(bytes.NewReader(data), name, picture.ReadOptions{Role: "picture", MaxPixels: maxPixels})
	done()
	if err != nil {
		return nil, err
	}
	if name, err = s.write(name, data); err != nil {
		return nil, err
	}
	return map[string]any{"name": name, "width": p.W, "height": p.H, "warnings": info.Warnings, "changed": time.Now().UnixMilli()}, nil
}

// cleanName makes a file name from the name that a browser or a person gives a
// picture.
func cleanName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`<>:"|?*`, r) {
			return '-'
		}
		return r
	}, name)
	return strings.TrimLeft(strings.TrimSpace(name), ".")
}

// write writes a file of the folder under the first free name of name.png,
// name-2.png and so on.
func (s *Studio) write(name string, data []byte) (string, error) {
	free, err := s.free(name, nil)
	if err != nil {
		return "", err
	}
	return free, writeRoot(s.root, free, data)
}

// free returns name, or the first of name-2.png, name-3.png and so on, that is
// neither a file nor in taken.
func (s *Studio) free(name string, taken map[string]bool) (string, error) {
	ext := filepath.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	for n := 1; n < 100000; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s-%d%s", stem, n, ext)
		}
		if _, err := s.root.Lstat(try); errors.Is(err, fs.ErrNotExist) && !taken[try] {
			return try, nil
		}
	}
	return "", bad(http.StatusConflict, fmt.Sprintf("%q has no free name left", name))
}

// writeRoot replaces the content of a file in a root. It writes all of the content
// or nothing.
func writeRoot(root *os.Root, name string, data []byte) error {
	beside := filepath.Join(filepath.Dir(name), ".impasto-"+secret()[:8]+".part")
	f, err := root.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = root.Rename(beside, name)
	}
	if err != nil {
		_ = root.Remove(beside)
	}
	return err
}
