package studio

import (
	"image"
	"io"
	"io/fs"
	"net/http"
	"sync"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
)

// shelf caches what was read from files, as long as the files do not change.
type shelf struct {
	s       *Studio
	sizes   sync.Map // name -> sized
	recipes sync.Map // name -> kept

	mu     sync.Mutex
	thumbs map[thumbKey][]byte
	bytes  int
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
}

// maxThumbs is how many bytes of thumbnails are kept in memory.
const maxThumbs = 32 << 20

func newShelf(s *Studio) *shelf {
	return &shelf{s: s, thumbs: map[thumbKey][]byte{}}
}

func (b *shelf) size(name string, st fs.FileInfo, f io.Reader) (int, int, fs.FileInfo, error) {
	v, _ := b.sizes.Load(name)
	had, ok := v.(sized)
	if !ok || had.mark != markOf(st) {
		config, _, err := image.DecodeConfig(f)
		had = sized{markOf(st), config.Width, config.Height, err}
		b.sizes.Store(name, had)
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

// small returns a picture of at least side pixels. Samples are drawn at that size,
// which is faster.
func (b *shelf) small(name string, side int) (*picture.Picture, error) {
	if of, isMap, ok := isSample(name); ok && side < sampleW/2 {
		img, err := drawSampleAt(of, isMap, side, side*sampleH/sampleW)
		if err != nil {
			return nil, err
		}
		return picture.FromImage(img), nil
	}
	p, _, err := b.s.read(name)
	return p, err
}

// recipe returns the recipe in a picture of the folder, or beside it.
func (b *shelf) recipe(name string) (*recipe.Recipe, error) {
	f, st, err := b.s.open(name)
	if err != nil {
		return nil, err
	}
	f.Close()
	v, _ := b.recipes.Load(name)
	had, ok := v.(kept)
	if !ok || had.mark != markOf(st) {
		had = kept{mark: markOf(st)}
		if text, err := picture.ReadRecipe(b.s.path(name)); err == nil {
			if r, err := recipe.Parse(text); err == nil {
				had.recipe = &r
			}
		}
		b.recipes.Store(name, had)
	}
	if had.recipe == nil {
		return nil, bad(http.StatusNotFound, "there is no recipe in \""+name+"\"")
	}
	return had.recipe, nil
}

// recipeOf reads the recipe of a picture or of a dropped file, and returns the
// values that the page's controls show for it.
func (s *Studio) recipeOf(r *http.Request) (any, error) {
	rec, err := s.askedRecipe(r)
	if err != nil {
		return nil, err
	}
	return map[string]any{"mode": rec.Mode, "inputs": rec.Inputs, "settings": s.o.Engine.Settings(rec.Mode, rec), "recipe": rec}, nil
}

func (s *Studio) askedRecipe(r *http.Request) (*recipe.Recipe, error) {
	if name := r.URL.Query().Get("name"); name != "" {
		return s.shelf.recipe(name)
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	text, err := recipeIn(data)
	if err != nil {
		return nil, err
	}
	rec, err := recipe.Parse(text)
	return &rec, err
}
