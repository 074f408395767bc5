package studio

import (
	"image"
	"io"
	"io/fs"
	"net/http"
	"sync"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/sample"
)

// shelf remembers what was found in files, as long as they stay the same.
type shelf struct {
	s  *Studio
	mu sync.Mutex

	sizes   map[string]sized
	thumbs  map[thumbKey][]byte
	bytes   int
	recipes map[string]kept
}

type mark struct{ size, changed int64 }

func markOf(st fs.FileInfo) mark { return mark{st.Size(), st.ModTime().UnixNano()} }

type sized struct {
	mark
	w, h int
	err  error
}

type thumbKey struct {
	name string
	side int
	mark
}

type kept struct {
	mark
	recipe *recipe.Recipe // nil: none
	text   string
}

// maxThumbs is how many bytes of thumbnails stay in memory.
const maxThumbs = 32 << 20

func newShelf(s *Studio) *shelf {
	return &shelf{s: s, sizes: map[string]sized{}, thumbs: map[thumbKey][]byte{}, recipes: map[string]kept{}}
}

func (b *shelf) size(name string, st fs.FileInfo, f io.Reader) (int, int, fs.FileInfo, error) {
	b.mu.Lock()
	had, ok := b.sizes[name]
	b.mu.Unlock()
	if !ok || had.mark != markOf(st) {
		config, _, err := image.DecodeConfig(f)
		had = sized{markOf(st), config.Width, config.Height, err}
		b.mu.Lock()
		b.sizes[name] = had
		b.mu.Unlock()
	}
	return had.w, had.h, st, had.err
}

func (b *shelf) thumb(name string, side int) ([]byte, error) {
	key := thumbKey{name: name, side: side}
	if _, _, ok := isSample(name); !ok {
		f, st, err := b.s.open(name)
		if err != nil {
			return nil, err
		}
		f.Close()
		key.mark = markOf(st)
	}
	b.mu.Lock()
	text := b.thumbs[key]
	b.mu.Unlock()
	if text != nil {
		return text, nil
	}
	p, err := b.small(name, side)
	if err != nil {
		return nil, err
	}
	if text, err = shrink(p, side); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytes+len(text) > maxThumbs {
		clear(b.thumbs)
		b.bytes = 0
	}
	b.thumbs[key] = text
	b.bytes += len(text)
	return text, nil
}

// small is a picture of at least side pixels: samples are drawn at that size,
// which is quicker.
func (b *shelf) small(name string, side int) (*picture.Picture, error) {
	if of, isMap, ok := isSample(name); ok && side < sampleW/2 {
		draw := sample.Draw
		if isMap {
			draw = func(name string, w, h int) (*image.NRGBA, error) {
				img, _, err := sample.Map(name, w, h)
				return img, err
			}
		}
		img, err := draw(of, side, side*sampleH/sampleW)
		if err != nil {
			return nil, err
		}
		return picture.FromImage(img), nil
	}
	p, _, err := b.s.read(name)
	return p, err
}

// recipe is the recipe in or beside a picture of the folder; nil where there is none.
func (b *shelf) recipe(name string) (*recipe.Recipe, string, error) {
	f, st, err := b.s.open(name)
	if err != nil {
		return nil, "", err
	}
	f.Close()
	b.mu.Lock()
	had, ok := b.recipes[name]
	b.mu.Unlock()
	if !ok || had.mark != markOf(st) {
		had = kept{mark: markOf(st)}
		if text, err := picture.ReadRecipe(b.s.path(name)); err == nil {
			if r, err := recipe.Parse(text); err == nil {
				had.recipe, had.text = &r, text
			}
		}
		b.mu.Lock()
		b.recipes[name] = had
		b.mu.Unlock()
	}
	return had.recipe, had.text, nil
}

// recipeOf reads the recipe of a picture or of a file that was dropped, and
// says what the page's controls are to show.
func (s *Studio) recipeOf(w http.ResponseWriter, r *http.Request) error {
	var text string
	if name := r.URL.Query().Get("name"); name != "" {
		rec, found, err := s.shelf.recipe(name)
		if err != nil {
			return err
		}
		if rec == nil {
			return bad(http.StatusNotFound, "there is no recipe in \""+name+"\"")
		}
		text = found
	} else {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		if text, err = recipeIn(data); err != nil {
			return err
		}
	}
	rec, err := recipe.Parse(text)
	if err != nil {
		return err
	}
	return sendJSON(w, map[string]any{"mode": rec.Mode, "inputs": rec.Inputs, "settings": s.o.Engine.Settings(rec.Mode, &rec), "recipe": rec})
}
