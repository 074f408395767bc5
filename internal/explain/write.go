package explain

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/style"
)

// keySide is the long side of pictures of paintings in an explanation, in pixels.
const keySide = 640

// Sheet is one picture of an explanation.
type Sheet struct {
	File    string // its name in the directory
	Caption string
	Picture *picture.Picture
}

// Sheets draws the pictures of an explanation. For each layer they show where its
// patches came from, how similar they were, which parts of each painting were used,
// and the patches themselves on the canvas.
func Sheets(in Inputs) []Sheet {
	var list []Sheet
	several := func(i int) string {
		if len(in.Styles) == 1 {
			return ""
		}
		return fmt.Sprintf("_%d", i+1)
	}
	for i, p := range in.Styles {
		list = append(list, Sheet{"key" + several(i) + ".png", "the painting in the colours of its places", Key(p, i, keySide)})
	}
	for i := range in.Patches {
		c := &in.Patches[i]
		name := strings.ReplaceAll(c.Layer, "/", "_")
		list = append(list,
			Sheet{"origin_" + name + ".png", c.Layer + ": where in the painting each patch came from", Origin(c)},
			Sheet{"confidence_" + name + ".png", c.Layer + ": how alike patch and match are, from dark to yellow", Heat(c)},
			Sheet{"patches_" + name + ".png", c.Layer + ": the matched patches themselves", Replay(c, in.Styles, c.CanvasW, c.CanvasH)})
		for k, p := range in.Styles {
			list = append(list, Sheet{"used_" + name + several(k) + ".png", c.Layer + ": what of the painting was used, the brighter the more often", Used(c, p, k, keySide)})
		}
	}
	return list
}

// Files returns the names of the files that an explanation of these layers may have
// in its directory.
func Files(layers []string, paintings int) []string {
	names := []string{"explain.json", "matches.json"}
	several := func(what string) {
		if paintings == 1 {
			names = append(names, what+".png")
			return
		}
		for i := range paintings {
			names = append(names, fmt.Sprintf("%s_%d.png", what, i+1))
		}
	}
	several("key")
	for _, l := range layers {
		l = strings.ReplaceAll(l, "/", "_")
		names = append(names, "origin_"+l+".png", "confidence_"+l+".png", "patches_"+l+".png")
		several("used_" + l)
	}
	return names
}

// Write writes an explanation into a directory that exists: the sheets,
// explain.json and matches.json.
func Write(dir string, e *Explanation, sheets []Sheet, program string, paintings []Painting, patches []style.Correspondence) error {
	for _, s := range sheets {
		if err := picture.Save(filepath.Join(dir, s.File), s.Picture, picture.WriteOptions{Software: program}); err != nil {
			return err
		}
	}
	save := func(name string, v any, indent string) error {
		return picture.WriteFile(filepath.Join(dir, name), func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetIndent("", indent)
			return enc.Encode(v)
		})
	}
	if err := save("explain.json", e, "  "); err != nil {
		return err
	}
	return save("matches.json", NewMatches(program, paintings, patches), "")
}

// Sentences say what matters in the explanation, a line each: reuse for each
// layer, and regions that took at least a twentieth of their patches from
// another.
func (e *Explanation) Sentences() []string {
	var lines []string
	for _, l := range e.Layers {
		lines = append(lines, fmt.Sprintf("%s: %.0f %% of %d patches repeat one used before; the most used is there %d times; %.0f %% of the painting's were used",
			l.Name, 100*l.Reuse, l.Patches, l.MostUsed, 100*l.Used))
		if l.Skipped > 0.005 {
			lines = append(lines, fmt.Sprintf("%s: maps made %.0f %% of the comparisons needless", l.Name, 100*l.Skipped))
		}
		for _, leak := range l.Leaks {
			for _, from := range leak.From {
				if from.Share >= 0.05 {
					lines = append(lines, fmt.Sprintf("%s: %.0f %% of %s took patches from %s", l.Name, 100*from.Share, leak.Region, from.Region))
				}
			}
		}
	}
	return lines
}
