package studio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/impasto/impasto/internal/explain"
	"github.com/impasto/impasto/internal/picture"
	"github.com/impasto/impasto/internal/recipe"
	"github.com/impasto/impasto/internal/report"
	"github.com/impasto/impasto/internal/ui"
	"github.com/impasto/impasto/style"
)

// result is a picture of the folder that has a recipe.
type result struct {
	entry
	Mode    style.Mode `json:"mode"`
	From    []string   `json:"from"` // names of the pictures it was painted from
	Style   string     `json:"style"`
	Rating  int        `json:"rating"`
	Stopped string     `json:"stopped,omitempty"`
	Explain bool       `json:"explain"` // the origins of its patches are known
}

const ratingsFile = own + "/ratings.json"

// ratings guards the file of ratings.
var ratings sync.Mutex

func (s *Studio) ratings() map[string]int {
	list := map[string]int{}
	if text, err := s.root.ReadFile(ratingsFile); err == nil {
		_ = json.Unmarshal(text, &list)
	}
	return list
}

type rating struct {
	Name   string
	Rating int
}

// rate gives a picture 0 to 5 stars.
func (s *Studio) rate(_ *http.Request, ask rating) (any, error) {
	if ask.Rating < 0 || ask.Rating > 5 {
		return nil, bad(http.StatusBadRequest, fmt.Sprintf("a rating is 0 to 5, not %d", ask.Rating))
	}
	f, _, err := s.open(ask.Name)
	if err != nil {
		return nil, err
	}
	f.Close()
	ratings.Lock()
	defer ratings.Unlock()
	list := s.ratings()
	list[ask.Name] = ask.Rating
	if ask.Rating == 0 {
		delete(list, ask.Name)
	}
	text, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		return nil, err
	}
	if err := writeRoot(s.root, ratingsFile, text); err != nil {
		return nil, err
	}
	return ask, nil
}

// results lists the pictures that have a recipe, the latest first.
func (s *Studio) results() ([]result, error) {
	entries, err := s.entries()
	if err != nil {
		return nil, err
	}
	stars := s.ratings()
	list := []result{}
	for _, e := range entries {
		if e.Kind != "" || e.IsMap {
			continue
		}
		rec, err := s.shelf.recipe(e.Name)
		if err != nil {
			continue
		}
		one := result{entry: e, Mode: rec.Mode, Rating: stars[e.Name], Stopped: rec.Result.Stopped, From: []string{}}
		for _, in := range rec.Inputs {
			one.From = append(one.From, in.Name)
			if in.Role == "style" && one.Style == "" {
				one.Style = in.Name
			}
		}
		_, err = s.root.Stat(explainOf(e.Name) + "/matches.json")
		one.Explain = err == nil
		list = append(list, one)
	}
	return list, nil
}

// difference lists the settings in which two results differ.
func (s *Studio) difference(r *http.Request) (any, error) {
	var two [2]recipe.Recipe
	for i, key := range []string{"a", "b"} {
		rec, err := s.shelf.recipe(r.URL.Query().Get(key))
		if err != nil {
			return nil, err
		}
		two[i] = *rec
	}
	list, err := recipe.Diff(two[0], two[1])
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(c recipe.Change) bool {
		// Fields of the result follow from the other fields, except the loss.
		result := strings.HasPrefix(c.Path, "result.") && c.Path != "result.loss" && c.Path != "result.stopped"
		return result || strings.HasSuffix(c.Path, "sha256") || strings.HasSuffix(c.Path, "bytes")
	})
	return list, nil
}

// where says which patch of which painting a point of a result came from.
func (s *Studio) where(r *http.Request) (any, error) {
	q := r.URL.Query()
	name := q.Get("name")
	x, errX := strconv.ParseFloat(q.Get("x"), 64)
	y, errY := strconv.ParseFloat(q.Get("y"), 64)
	if errX != nil || errY != nil || !(x >= 0 && x <= 1 && y >= 0 && y <= 1) {
		return nil, bad(http.StatusBadRequest, "a point has x and y from 0 to 1")
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	m, err := s.matches(name)
	if err != nil {
		return nil, err
	}
	list := []explain.Where{}
	for i := range m.Layers {
		list = append(list, explain.At(m.Layers[i].Correspondence(), x, y))
	}
	paintings := []string{}
	for _, p := range m.Paintings {
		paintings = append(paintings, filepath.Base(p.Name))
	}
	return map[string]any{"where": list, "paintings": paintings}, nil
}

// latest holds the matches that were read last, because a page asks for them at
// every move of the mouse.
type latest struct {
	sync.Mutex
	name string
	mark mark
	m    *explain.Matches
}

func (s *Studio) matches(name string) (*explain.Matches, error) {
	file := explainOf(name) + "/matches.json"
	st, err := s.root.Stat(file)
	if err != nil {
		return nil, bad(http.StatusNotFound, "it is not known where the patches of \""+name+"\" came from")
	}
	s.matched.Lock()
	defer s.matched.Unlock()
	if s.matched.m == nil || s.matched.name != name || s.matched.mark != markOf(st) {
		f, err := s.root.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		m, err := explain.ReadMatches(f, name)
		if err != nil {
			return nil, err
		}
		s.matched.name, s.matched.mark, s.matched.m = name, markOf(st), m
	}
	return s.matched.m, nil
}

// sheet sends the contact sheet of the results that the request names, or of all
// results.
func (s *Studio) sheet(w http.ResponseWriter, r *http.Request) error {
	list, err := s.results()
	if err != nil {
		return err
	}
	if names := r.URL.Query()["name"]; len(names) > 0 {
		list = slices.DeleteFunc(list, func(e result) bool { return !slices.Contains(names, e.Name) })
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="contact-sheet.html"`)
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'")
	return report.WriteSheet(w, report.Sheet{Title: filepath.Base(s.o.Folder), Lead: ui.Count(len(list), "picture"), Program: s.o.Program,
		Cells: len(list), Cell: func(i int) report.Cell {
			e := list[i]
			c := report.Cell{Name: e.Name, State: "done", Link: e.Name, Choices: []report.Row{
				{Name: "mode", Value: string(e.Mode)}, {Name: "from", Value: strings.Join(e.From, ", ")}, {Name: "size", Value: fmt.Sprintf("%dx%d", e.W, e.H)}}}
			if e.Rating > 0 {
				c.Choices = append(c.Choices, report.Row{Name: "rating", Value: strings.Repeat("★", e.Rating)})
			}
			if p, _, err := s.read(e.Name); err == nil {
				c.Picture = p
			}
			return c
		}})
}

// recipeIn finds the recipe in a dropped file: a picture, or the JSON of a recipe.
func recipeIn(data []byte) (string, error) {
	if text := bytes.TrimSpace(data); len(text) > 0 && text[0] == '{' {
		if len(text) > maxText {
			return "", bad(http.StatusRequestEntityTooLarge, "the recipe is too large")
		}
		return string(text), nil
	}
	// picture.ReadRecipe reads files only.
	f, err := os.CreateTemp("", "impasto-recipe-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	text, err := picture.ReadRecipe(f.Name())
	if err != nil {
		return "", bad(http.StatusUnprocessableEntity, "there is no recipe in this file")
	}
	return text, nil
}

// state returns what a page needs when it opens: the modes, the program and the
// jobs.
func (s *Studio) state(*http.Request) (any, error) {
	return map[string]any{"program": s.o.Program, "folder": filepath.Base(s.o.Folder), "modes": Modes, "jobs": s.jobs.all()}, nil
}

// settings lists the settings of a mode.
func (s *Studio) settings(r *http.Request) (any, error) {
	mode := style.Mode(r.URL.Query().Get("mode"))
	if !slices.Contains(Modes, mode) {
		return nil, bad(http.StatusBadRequest, fmt.Sprintf("there is no way of painting called %q", mode))
	}
	return s.o.Engine.Settings(mode, nil), nil
}
